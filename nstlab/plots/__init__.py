"""Figures of pictures, runs, features and trainings; returned, never shown or printed.

They need no pyplot and look the same everywhere; a notebook shows one that ends a cell.
"""

from nstlab.plots.curves import draw_growing_curve, plot_gram, plot_losses
from nstlab.plots.features import show_channel, show_feature_maps
from nstlab.plots.learning import plot_distances, plot_training
from nstlab.plots.patches import Patch, strongest_patches
from nstlab.plots.pictures import show_pictures

__all__ = [
    "Patch",
    "draw_growing_curve",
    "plot_distances",
    "plot_gram",
    "plot_losses",
    "plot_training",
    "show_channel",
    "show_feature_maps",
    "show_pictures",
    "strongest_patches",
]
