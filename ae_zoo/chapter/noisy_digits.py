"""Section 19.4: clean digits from noisy ones."""

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter.reconstructions import one_of_each
from ae_zoo.chapter.run import Options, Run, tabulate
from ae_zoo.layers.corruption import corrupt
from ae_zoo.report.page import Section

AMOUNT = 0.3
NOISES = {
    "on/off": ("salt_pepper", f"On/off noise on {AMOUNT:.0%} of the pixels"),
    "Gaussian": ("gaussian", f"Gaussian noise with a standard deviation of {AMOUNT:g}"),
}


def measure(images: np.ndarray, clean: np.ndarray) -> dict[str, float]:
    """The error a pixel against the clean digits, and the peak signal-to-noise ratio: 10 dB more is a tenth of it."""
    error = float(np.mean(np.square(images - clean)))
    return {"test_mse": error, "psnr_db": float(-10 * np.log10(error))}


def section(run: Run) -> Section:
    """19.4: two noises, denoised; and the book's own procedure beside one of them."""
    section = Section("19.4", "Denoising autoencoders")
    clean, examples = run.digits.x_test, one_of_each(run.digits)
    section.text(
        "A denoising autoencoder sees a corrupted digit and is asked for the clean one, with fresh noise at every step. "
        "So it cannot copy its input, and is judged here on corrupted test digits against the clean ones. The ratio of "
        "signal to noise is 10 log10(1 / MSE) in decibels: 10 dB more is a tenth of the error."
    )
    for name, (kind, caption) in NOISES.items():
        model = run.train(f"denoising-{kind}", "denoising", corruption=kind, corruption_amount=AMOUNT).model
        noisy = model.corrupt(clean, seed=run.seed)
        shown = {"corrupted": noisy, "denoised": model.reconstruct(noisy)}
        if kind == "salt_pepper":
            # As in the book: the corrupted digits are input and target, corrupted once before training.
            fixed = corrupt(run.digits.x_train, kind, AMOUNT, seed=run.seed)
            options: Options = {"hidden": model.config.hidden, "code": model.config.code}
            book = run.train("denoising-as-the-book", "undercomplete", fixed, **options).model
            shown["the book's procedure"] = book.reconstruct(noisy)
        section.results |= {f"{name}: {what}": measure(images, clean) for what, images in shown.items()}
        strips = {what: images[examples] for what, images in {"clean": clean, **shown}.items()}
        section.picture(f"19-4-{kind}", plots.strips(strips), f"{caption} of test digits, and what is left.")
    columns = {"MSE against the clean ones": "{test_mse:.4f}", "signal to noise": "{psnr_db:.1f} dB"}
    tabulate(section, section.results, columns, "Before and after denoising.", head="test digits")
    section.text(
        "The book trains on the corrupted digits both as input and as target: H2O's autoencoder knows no other target. "
        "That asks the network to give the noise back, and it denoises only as far as its code is too narrow for the "
        "noise. The table's row of that procedure is the same network, trained so."
    )
    return section
