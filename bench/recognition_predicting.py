"""Published networks on real validation images, which they never saw."""

from __future__ import annotations

from collections.abc import Iterator

from holotype.recognition.networks.models import create_model
from holotype.recognition.networks.predicting import Views, predict
from real_images import images

NETWORKS: tuple[tuple[str, Views, str], ...] = (
    ("efficientnet_lite0", "1", "published .748 / .922"),
    ("efficientnet_lite0", "10", ""),
    ("efficientnet_lite0", "dense", ""),
    ("efficientnet_lite2", "1", "published .774 / .937"),
)
"""What is asked, how many views it has, and what its authors say of all 50,000 images."""


def rows() -> Iterator[tuple[str, str]]:
    """Accuracy on the 500 images."""
    samples = images("val")
    for name, views, said in NETWORKS:
        right = (
            predict(create_model(name, weights="pretrained"), samples, views=views).guesses == samples.labels[:, None]
        )
        figure = f"{right[:, 0].mean():.3f} / {right.any(1).mean():.3f}"
        yield f"{name}, views {views}: top-1 / top-5 accuracy, 500 validation images", f"{figure} {said}".rstrip()


if __name__ == "__main__":
    for what, figure in rows():
        print(what, figure)
