"""Pictures by name: the bundled ones, famous paintings fetched on request, your own files."""

from nstlab.samples.loading import PictureId, fetch, identify, load_picture
from nstlab.samples.table import Sample, catalogue

__all__ = ["PictureId", "Sample", "catalogue", "fetch", "identify", "load_picture"]
