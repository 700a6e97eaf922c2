"""Section 19.4: denoising autoencoders."""

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter.run import Run
from ae_zoo.layers.corruption import corrupt
from ae_zoo.report.page import Section

AMOUNT = 0.3
NOISES = {
    "on/off": ("salt_pepper", f"On/off noise on {AMOUNT:.0%} of the pixels"),
    "Gaussian": ("gaussian", f"Gaussian noise with a standard deviation of {AMOUNT:g}"),
}


def denoising(run: Run) -> Section:
    """19.4: two noises, denoised; and the book's own procedure beside one of them."""
    section = Section("19.4", "Denoising autoencoders")
    clean = run.digits.x_test
    examples = run.examples()
    table = []
    section.text(
        "A denoising autoencoder sees a corrupted digit and is asked for the clean one, with fresh noise at every step. "
        "So it cannot copy its input, and is judged here on corrupted test digits against the clean ones. The ratio of "
        "signal to noise is 10 log10(1 / MSE) in decibels: 10 dB more is a tenth of the error."
    )
    for name, (kind, caption) in NOISES.items():
        model = run.train(f"denoising-{kind}", "denoising", corruption=kind, corruption_amount=AMOUNT).model
        noisy = model.corrupt(clean, seed=run.seed)
        cleaned = model.reconstruct(noisy)
        rows = [(f"{name}: corrupted", noisy), (f"{name}: denoised", cleaned)]
        if kind == "salt_pepper":
            # As in the book: the corrupted digits are input and target, corrupted once before training.
            fixed = corrupt(run.digits.x_train, kind, AMOUNT, seed=run.seed)
            options = {"hidden": model.config.hidden, "code": model.config.code}
            book = run.train("denoising-as-the-book", "undercomplete", fixed, **options).model
            rows.append((f"{name}: the book's procedure", book.reconstruct(noisy)))
        for label, images in rows:
            error = float(np.mean(np.square(images - clean)))
            table.append([label, f"{error:.4f}", f"{_decibels(error):.1f} dB"])
            section.results[label] = {"test_mse": error, "psnr_db": _decibels(error)}
        strips = {"clean": clean[examples], **{label.split(": ")[1]: images[examples] for label, images in rows}}
        section.picture(f"19-4-{kind}", plots.strips(strips), f"{caption} of test digits, and what is left.")
    section.table(
        ["test digits", "MSE against the clean ones", "signal to noise"], table, "Before and after denoising."
    )
    section.text(
        "The book trains on the corrupted digits both as input and as target: H2O's autoencoder knows no other target. "
        "That asks the network to give the noise back, and it denoises only as far as its code is too narrow for the "
        "noise. The table's row of that procedure is the same network, trained so."
    )
    return section


def _decibels(error: float) -> float:
    return float(-10 * np.log10(error))
