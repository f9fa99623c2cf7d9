"""The first look at an image: is it one, is it whole, what may be read of it, and how."""

from __future__ import annotations

from pathlib import Path

from rsam_core.scene import _photographs as _pictures
from rsam_core.scene._default_view import choose_first_view, survey
from rsam_core.scene._examined import Examined
from rsam_core.scene._formats import PICTURE_DRIVERS
from rsam_core.scene._jpeg2000 import check_tiles
from rsam_core.scene._png_parts import check_texts
from rsam_core.scene.checks import MIN_SIDE, check_content, check_size
from rsam_core.scene.georeference import georeference
from rsam_core.scene.raster_file import RasterFile

# The first picture of smaller images, and of those with reduced copies, is tried at once.
TRIED_PIXELS = 2**24
TRIED_SIDE = 1024


def examine(
    file: RasterFile, room: Path | None, *, world: bool = False, picture: bool = True
) -> Examined:
    """Check a file and make of it what can be read in windows.

    Parameters
    ----------
    file : RasterFile
    room : pathlib.Path or None
        Folder for what has to be written again and is too large for memory.
    world : bool
        Whether a world file came with it.
    picture : bool
        Whether it shall be shown: then it is turned upright where it asks for that.

    Raises
    ------
    SceneError
        It is no image, damaged, too large, or names other files.
    """
    # A GIF never gets to GDAL: only Pillow composes its frames.
    if file.driver == "GIF":
        return _pictures.prepared(file, room, placed=world)
    file.check_metadata()
    if file.driver == "PNG":
        check_texts(file)
    if file.driver == "JP2OpenJPEG":
        check_tiles(file)
    with file.open() as dataset:
        check_size(file, dataset.width, dataset.height, least=MIN_SIDE if picture else 1)
        # Whoever writes a picture again reads all of it; once is enough.
        rewritten = dataset.driver in PICTURE_DRIVERS and _pictures.is_slow(file, dataset)
        if not (picture and rewritten and room is not None):
            check_content(file, dataset)
        placed = world or not dataset.transform.is_identity
        placed = placed or bool(dataset.gcps[0]) or bool(dataset.tags(ns="RPC"))
    return _pictures.prepared(file, room, placed=placed) if picture else Examined()


def try_out(file: RasterFile) -> None:
    """Do once what opening an image and drawing its first picture does.

    Raises
    ------
    SceneError
        It cannot be read.
    """
    from rasterio.windows import Window

    picture = file.driver in PICTURE_DRIVERS
    with file.open() as dataset:
        georeference(dataset, file)
        layout, _ = survey(dataset, picture=picture)
        chosen = choose_first_view(file.name, dataset, layout)
        height, width = dataset.shape
        if height * width > TRIED_PIXELS and not dataset.overviews(1):
            return
        scale = min(1.0, TRIED_SIDE / max(width, height))
        shape = (max(1, round(height * scale)), max(1, round(width * scale)))
        chosen.view.rgb(dataset, Window(0, 0, width, height), shape)
