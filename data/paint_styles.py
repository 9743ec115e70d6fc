"""Paint the bundled style pictures.

python data/paint_styles.py [--only NAME] [--size N] [--out DIR]
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

KINDS = ("swirls", "woodblock", "pointillist", "stained_glass", "night_street", "ink_hatching")
LIMIT = 400_000
ImageFile.MAXBLOCK = 1 << 23


def paint(kind: str, number: int, size: int) -> Image.Image:
    """Paint one picture.

    Args:
        kind: Name of the kind.
        number: 1 or 2.
        size: Longer side in pixels.

    Returns:
        The picture.
    """
    painter = importlib.import_module(f"painters.{kind}")
    rng = np.random.default_rng([zlib.crc32(kind.encode()), number])
    return (painter.first if number == 1 else painter.second)(rng, size)


def encode(picture: Image.Image) -> bytes:
    """Encode as JPEG in full colour resolution, below the limit of bytes.

    Args:
        picture: The picture.

    Returns:
        The file's bytes, at most 400 000.
    """
    for quality in range(93, 60, -1):
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)
        if buffer.tell() <= LIMIT:
            break
    return buffer.getvalue()


def main() -> None:
    """Paint all pictures, or those whose name begins with `--only`."""
    parser = argparse.ArgumentParser(description="Paint the bundled style pictures.")
    parser.add_argument("--only", default="", help="name or kind, such as swirls_1 or swirls")
    parser.add_argument("--size", type=int, default=800, help="longer side in pixels")
    parser.add_argument("--out", type=Path, default=HERE / "styles", help="folder to write to")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for number in (1, 2):
            name = f"{kind}_{number}"
            if not name.startswith(options.only):
                continue
            begun = time.perf_counter()
            picture = paint(kind, number, options.size)
            data = encode(picture)
            (options.out / f"{name}.jpg").write_bytes(data)
            spent = time.perf_counter() - begun
            wide, high = picture.size
            print(
                f"{name}.jpg  {wide} x {high}  {len(data) / 1000:.0f} kB  {spent:.1f} s", flush=True
            )


if __name__ == "__main__":
    main()
