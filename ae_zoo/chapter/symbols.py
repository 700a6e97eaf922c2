"""Images that are no digits, to see what a detector of digits does with them."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SYMBOLS = "AEFHKMNRTWXY&%@#?$+="  # none that can be taken for a digit


def symbols(seed: int, copies: int = 10) -> np.ndarray:
    """Printed symbols that are no digits, drawn as MNIST's digits are: within 20 x 20 pixels, centred. `(n, 784)`."""
    random = np.random.default_rng(seed)
    rows = []
    for symbol in SYMBOLS * copies:
        canvas = Image.new("L", (160, 160))
        font = ImageFont.load_default(size=110)
        ImageDraw.Draw(canvas).text(
            (80, 80), symbol, fill=255, font=font, anchor="mm", stroke_width=int(random.integers(1, 6))
        )
        canvas = canvas.rotate(random.uniform(-15, 15), resample=Image.Resampling.BILINEAR)
        drawn = canvas.crop(canvas.getbbox())
        scale = 20 / max(drawn.size)
        drawn = drawn.resize([max(1, round(side * scale)) for side in drawn.size], Image.Resampling.LANCZOS)
        image = Image.new("L", (28, 28))
        image.paste(drawn, ((28 - drawn.width) // 2, (28 - drawn.height) // 2))
        rows.append(np.asarray(image, "float32").ravel() / 255)
    return np.stack(rows)
