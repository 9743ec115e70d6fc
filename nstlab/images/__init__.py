"""Pictures in and out: any common file to RGB in [0, 1] and back; the one user of Pillow.

A picture is a float tensor (b, 3, h, w), RGB in [0, 1].
"""

from nstlab.images.reading import LARGEST, Source, from_pil, open_picture
from nstlab.images.sizes import PictureError, check_picture, fitted_shape, resize, scale_to_cover
from nstlab.images.writing import (
    SUFFIXES,
    PictureExistsError,
    check_writable,
    encode,
    read_info,
    save_picture,
    to_pil,
    write_atomically,
)

__all__ = [
    "LARGEST",
    "SUFFIXES",
    "PictureError",
    "PictureExistsError",
    "Source",
    "check_picture",
    "check_writable",
    "encode",
    "fitted_shape",
    "from_pil",
    "open_picture",
    "read_info",
    "resize",
    "save_picture",
    "scale_to_cover",
    "to_pil",
    "write_atomically",
]
