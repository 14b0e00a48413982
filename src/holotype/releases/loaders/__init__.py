"""Loaders: batches of pixels and labels to train from, out of releases and of archives where they lie."""

from holotype.releases.loaders.augment import Augment, CentreCrop, RandomCrop
from holotype.releases.loaders.colours import Jitter
from holotype.releases.loaders.images import ImageDataset
from holotype.releases.loaders.loader import Batch, Damaged, Loader
from holotype.releases.loaders.mixing import Mix
from holotype.releases.loaders.order import Order
from holotype.releases.loaders.randaugment import RandAugment
from holotype.releases.loaders.samples import Samples, samples_of
from holotype.releases.loaders.settings import Settings

__all__ = [
    "Augment",
    "Batch",
    "CentreCrop",
    "Damaged",
    "ImageDataset",
    "Jitter",
    "Loader",
    "Mix",
    "Order",
    "RandAugment",
    "RandomCrop",
    "Samples",
    "Settings",
    "samples_of",
]
