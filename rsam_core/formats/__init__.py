"""Outlines and rasters as files: written for download, and read as truth.

A module a format; `truth` reads any of them. What is drawn for people to look at is in `render`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
