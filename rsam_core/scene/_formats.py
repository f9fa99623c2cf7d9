"""Which formats are opened, told by the content of a file, and what is said of the others."""

from __future__ import annotations

PICTURE_DRIVERS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
FORMATS = "JPG, PNG, TIFF, GeoTIFF, JPEG 2000, BMP, WEBP and GIF"

# First bytes and GDAL driver of every format that is opened, whatever the file is called. An
# explicit list: formats such as VRT or WMS can name other files and addresses to be read, which an
# uploaded file must never do.
_STARTS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\0\0\0\x0cjP": "JP2OpenJPEG",
    b"\xff\x4f\xff\x51": "JP2OpenJPEG",
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"RIFF": "WEBP",
    b"BM": "BMP",
}
_NETCDF = "is a netCDF file. Export the layer you need as GeoTIFF and open that."
_HDF5 = "is an HDF5 or netCDF file. Export the layer you need as GeoTIFF and open that."
_OTHER_STARTS = {
    b"PK\x03\x04": "is a ZIP archive. Unpack it and open the image inside.",
    b"%PDF": "is a PDF. Export the page as PNG or TIFF and open that.",
    b"\x89HDF\r\n\x1a\n": _HDF5,
    b"CDF\x01": _NETCDF,
    b"CDF\x02": _NETCDF,
    b"CDF\x05": _NETCDF,
    b"\x0e\x03\x13\x01": "is an HDF4 file. Export the layer you need as GeoTIFF and open that.",
    b"EHFA_HEADER_TAG": "is an ERDAS IMAGINE file. Export it as GeoTIFF and open that.",
    b"NITF": "is a NITF file. Export it as GeoTIFF and open that.",
    b"8BPS": "is a Photoshop file. Export it as PNG or TIFF and open that.",
    b"<VRTDataset": (
        "is not an image but a text that names other files (a virtual raster). Export it as "
        "GeoTIFF and open that."
    ),
}
# HDF5 may come after room for others' use: at byte 512, 1024, 2048 and so on.
_HDF5_PLACES = (512, 1024, 2048, 4096)
# Brands of the container of HEIC and AVIF (ISO/IEC 23008-12, MIAF and the AVIF specification):
# still pictures and bursts, with their scalable and multi-view kinds.
_HEIF_BRANDS = frozenset(
    {
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs",
        b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"MiHB", b"MiHA", b"MiHE", b"MiAB", b"MiAn",
        b"avif", b"avis", b"avio", b"MA1A", b"MA1B",
        b"heif", b"jpeg", b"jpgs", b"j2ki", b"j2is", b"vvic", b"vvis", b"evbi", b"avci", b"avcs",
    }
)  # fmt: skip
_HEIF = "is a HEIC or AVIF photo. Save it as JPG or PNG (on a phone: “most compatible”)."
HEAD = 4096 + 16
"""Bytes from the start of a file that are enough to tell its format."""


def driver_of(head: bytes) -> str | None:
    """Return the GDAL driver for a file that starts with these bytes; None if none is used."""
    if head.startswith(b"RIFF") and head[8:12] != b"WEBP":
        return None
    return next((driver for start, driver in _STARTS.items() if head.startswith(start)), None)


def unknown_format(name: str, head: bytes) -> str:
    """Return what to say of a file in none of the formats that are opened, with a remedy."""
    if _is_heif(head):
        return f"“{name}” {_HEIF}"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, remedy in _OTHER_STARTS.items():
        if head.startswith(start) or text.startswith(start):
            return f"“{name}” {remedy}"
    if any(head[at:].startswith(b"\x89HDF\r\n\x1a\n") for at in _HDF5_PLACES):
        return f"“{name}” {_HDF5}"
    return (
        f"“{name}” is not an image, whatever its name says. RSAM opens {FORMATS}. "
        "Check that you chose the right file."
    )


def _is_heif(head: bytes) -> bool:
    """Tell by the brands of its first box, the main one and those it is compatible with."""
    if head[4:8] != b"ftyp":
        return False
    end = min(max(int.from_bytes(head[:4], "big"), 16), 512, len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    return not brands.isdisjoint(_HEIF_BRANDS)
