"""What the header of a JPEG 2000 says, before anything is set aside for it."""

from __future__ import annotations

from rsam_core.scene.raster_file import RasterFile

_STREAM = b"\xff\x4f\xff\x51"
_MAX_BOXES = 10_000
# A tile begins with a mark of its own, however little it holds.
_TILE_BYTES = 12


def check_tiles(file: RasterFile) -> None:
    """Refuse a JPEG 2000 that says it has more tiles than its bytes have room for.

    The decoder keeps some kilobytes for each tile as soon as it has read the header.

    Raises
    ------
    SceneError
    """
    start = _start(file)
    # Behind two marks and two short numbers: the image's corner and offset, a tile's size and
    # the first tile's offset, each as x and y.
    numbers = file.part(start + 8, 32)
    if start < 0 or len(numbers) < 32:
        return
    values = [int.from_bytes(numbers[at : at + 4], "big") for at in range(0, 32, 4)]
    (right, bottom), (width, height), (left, top) = values[:2], values[4:6], values[6:]
    if width and height:
        across, down = -(-(right - left) // width), -(-(bottom - top) // height)
        if across * down * _TILE_BYTES > file.size:
            raise file.damaged()


def _start(file: RasterFile) -> int:
    """Return where the pixels' stream begins; −1 if nowhere."""
    place = 0
    for _ in range(_MAX_BOXES):
        head = file.part(place, 16)
        if head.startswith(_STREAM):
            return place
        if len(head) < 16:
            return -1
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        long = length == 1
        if kind == b"jp2c":
            place += 16 if long else 8
            return place if file.part(place, 4) == _STREAM else -1
        length = int.from_bytes(head[8:16], "big") if long else length
        if length < 8:
            return -1
        place += length
    return -1
