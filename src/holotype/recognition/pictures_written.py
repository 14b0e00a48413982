"""Pictures as files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from holotype.errors import RecognitionError
from holotype.files import create_atomically
from holotype.images.flatten import Pixels


def write_picture(pixels: Pixels, path: Path) -> None:
    """Write a picture ``(height, width, 3)`` as a PNG file, which must not exist. Raises `RecognitionError`."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    try:
        create_atomically(path, buffer.getvalue(), 0o644)
    except FileExistsError as error:
        raise RecognitionError(f"{path} is there already") from error
    except OSError as error:
        raise RecognitionError(f"{path} could not be written: {error}") from error
