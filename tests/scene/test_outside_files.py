"""Nothing is read but the image itself and what belongs to it, whatever a file names."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import SimpleNamespace
from xml.sax.saxutils import escape as _escaped

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from rsam_core.errors import MetricError, SceneError
from rsam_core.formats.truth import read_truth
from rsam_core.scene._tiff_header import GDAL_METADATA, directories
from rsam_core.scene.crs_text import crs_of
from rsam_core.scene.raster_file import GDAL_CLOSED, RasterFile
from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import PLACE, UTM, encode, photo, tiff, write_tiff
from tests.hostile.case import trap

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

OWN, OTHER = 100, 250
SIZE = (256, 320)


def escape(text: str) -> str:
    """Return a text as it stands in XML, in an attribute as well."""
    return _escaped(text, {'"': "&quot;"})


def flat(value: int, count: int = 3, shape: tuple[int, int] = SIZE) -> np.ndarray:
    return np.full((count, *shape), value, np.uint8)


def naming(target: str, driver: str = "GTiff", **options: object) -> bytes:
    """Return an image whose metadata name a file of overviews."""
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=3, height=256, width=320, dtype="uint8", **options
        ) as dataset:
            dataset.write(flat(OWN))
            dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=target)
        if driver == "GTiff":
            return memory.read()
        with rasterio.MemoryFile(ext=".jp2") as other:
            with memory.open() as source:
                rasterio.shutil.copy(
                    source, other.name, driver=driver, WRITE_METADATA="YES", REVERSIBLE="YES",
                    QUALITY="100",
                )  # fmt: skip
            return other.read()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A picture of somebody else on the same disk."""
    return write_tiff(tmp_path / "private.tif", flat(OTHER, shape=(128, 160)))


# --- what a file names ----------------------------------------------------------------------------


def test_the_trap_works_without_us(other: Path) -> None:
    # Otherwise the tests below would prove nothing.
    with rasterio.MemoryFile(naming(str(other))) as memory, memory.open() as dataset:
        assert dataset.read(1, out_shape=(128, 160)).max() == OTHER


@pytest.mark.parametrize("driver", ["GTiff", "JP2OpenJPEG"])
@pytest.mark.parametrize("examine", [True, False])
@pytest.mark.parametrize("on_disk", [True, False])
def test_overviews_of_another_file_are_refused(
    driver: str, examine: bool, on_disk: bool, other: Path, tmp_path: Path
) -> None:
    content = naming(str(other), driver)
    source = tmp_path / "upload"
    source.write_bytes(content)
    with pytest.raises(SceneError, match="names another file"):
        open_scene(source if on_disk else content, examine=examine)


@pytest.mark.parametrize("options", [{}, {"BIGTIFF": "YES"}, {"ENDIANNESS": "BIG"}])
def test_every_kind_of_tiff_is_looked_into(options: dict, other: Path) -> None:
    content = naming(str(other), **options)
    (first,) = directories(RasterFile("x", content).part)
    assert b"OVERVIEW_FILE" in first.text(GDAL_METADATA)
    with pytest.raises(SceneError, match="names another file"):
        open_scene(content)
    with pytest.raises(MetricError, match="names another file"):
        read_truth(content, SIZE, name="mask.tif")


def test_names_in_later_directories_are_found() -> None:
    two = bytearray(encode(photo(), "TIFF", save_all=True, append_images=[photo(40, 40)]))
    # The last directory of the first file leads on to that of the other, laid down behind it.
    (start,) = struct.unpack_from("<I", two, 4)
    while True:
        (count,) = struct.unpack_from("<H", two, start)
        place = start + 2 + 12 * count
        (start,) = struct.unpack_from("<I", two, place)
        if start == 0:
            break
    behind = len(two) + len(two) % 2
    struct.pack_into("<I", two, place, behind)
    text = b"<GDALMetadata><Item domain='OVERVIEWS'>OVERVIEW_FILE</Item></GDALMetadata>\0"
    directory = struct.pack("<HHHII", 1, GDAL_METADATA, 2, len(text), behind + 18)
    content = bytes(two).ljust(behind, b"\0") + directory + bytes(4) + text
    assert len(list(directories(RasterFile("x", content).part))) == 3
    with pytest.raises(SceneError, match="names another file"):
        open_scene(content)


def test_directories_in_a_circle_end() -> None:
    content = bytearray(tiff(flat(OWN)))
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    struct.pack_into("<I", content, start + 2 + 12 * count, start)
    assert len(list(directories(RasterFile("x", bytes(content)).part))) == 1


@pytest.mark.parametrize(
    "target",
    [
        "/vsicurl/http://{}/a.tif",
        "/vsicurl_streaming/http://{}/a.tif",
        "/vsicurl?url=http%3A%2F%2F{}%2Fa.tif",
        "/vsizip//vsicurl/http://{}/a.zip/a.tif",
        "/vsiwebhdfs/http://{}/webhdfs/v1/a.tif",
        "http://{}/a.tif",
        "WMS:http://{}/a",
        "WCS:http://{}/a",
        'STACTA:"http://{}/a.json"',
        "<VRTDataset rasterXSize='160' rasterYSize='128'><VRTRasterBand dataType='Byte' band='1'>"
        "<SimpleSource><SourceFilename>/vsicurl/http://{}/a.tif</SourceFilename></SimpleSource>"
        "</VRTRasterBand></VRTDataset>",
    ],
)
def test_no_address_is_called(target: str, address: tuple[str, list[bytes]]) -> None:
    place, asked = address
    content = naming(target.format(place))
    with pytest.raises(SceneError, match="names another file"):
        open_scene(content)
    # Below the door, too: GDAL itself, under the settings with which everything is opened.
    with (
        rasterio.Env(**GDAL_CLOSED),
        rasterio.MemoryFile(content) as memory,
        memory.open() as dataset,
    ):
        try:
            assert dataset.read(1, out_shape=(128, 160)).max() == OWN
        except rasterio.errors.RasterioError:
            # It gives up where what is named cannot be had.
            assert "VRT" in target
    assert asked == []


def test_a_virtual_raster_is_refused_whatever_its_name(other: Path, tmp_path: Path) -> None:
    text = (
        f"<VRTDataset rasterXSize='160' rasterYSize='128'><VRTRasterBand dataType='Byte' band='1'>"
        f"<SimpleSource><SourceFilename>{other}</SourceFilename></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    )
    path = tmp_path / "looks-like.tif"
    path.write_text(text)
    for source in (path, text.encode()):
        with pytest.raises(SceneError, match="names other files"):
            open_scene(source)


# --- what lies beside a file on disk --------------------------------------------------------------


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return write_tiff(folder / "town.tif", flat(OWN), tiled=True, blockxsize=64, blockysize=64)


def reduced(path: Path, **options: object) -> int:
    """Return the largest value of a reduced view in the middle, where borders do not count."""
    return int(open_scene(path, **options).read_rgb(max_size=160)[40:80, 40:80].max())


def with_overviews(image: Path, value: int, place: Path) -> Path:
    """Write overviews of another colour, so that it shows whether they were used."""
    copy = write_tiff(place.parent / "copy.tif", flat(value), tiled=True)
    with rasterio.Env(TIFF_USE_OVR="YES"), rasterio.open(copy, "r+") as dataset:
        dataset.build_overviews([2])
    Path(f"{copy}.ovr").rename(place)
    copy.unlink()
    return place


def test_overviews_beside_a_file_are_used(image: Path) -> None:
    with_overviews(image, 180, image.with_name("town.tif.ovr"))
    assert reduced(image) == 180
    assert reduced(image, examine=True) == 180
    # Not for an upload of the same content.
    assert int(open_scene(image.read_bytes()).read_rgb(max_size=160).max()) == OWN


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
def test_links_that_lead_out_of_the_folder_are_not_followed(image: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    overviews = with_overviews(image, OTHER, outside / "town.tif.ovr")
    image.with_name("town.tif.ovr").symlink_to(overviews)
    world = outside / "world.txt"
    world.write_text("0.5\n0\n0\n-0.5\n500000.25\n9299999.75\n")
    image.with_name("town.tfw").symlink_to(world)
    notes = outside / "notes.xml"
    notes.write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>7</NoDataValue></PAMRasterBand>"
        "</PAMDataset>"
    )
    image.with_name("town.tif.aux.xml").symlink_to(notes)
    scene = open_scene(image)
    assert reduced(image) == OWN
    assert (scene.transform, scene.nodata) == (None, None)
    # The same files in the folder itself are used.
    for link, real in (("town.tfw", world), ("town.tif.aux.xml", notes)):
        image.with_name(link).unlink()
        real.rename(image.with_name(link))
    scene = open_scene(image)
    assert (scene.transform, scene.nodata) == (PLACE, 7)


@pytest.mark.parametrize(
    "notes",
    [
        "<PAMDataset><Metadata domain='OVERVIEWS'><MDI key='OVERVIEW_FILE'>{}</MDI></Metadata>"
        "</PAMDataset>",
        "<PAMDataset><Metadata domain='OVERV&#73;EWS'><MDI key='OVERV&#73;EW_FILE'>{}</MDI>"
        "</Metadata></PAMDataset>",
        "<!DOCTYPE a [<!ENTITY o 'OVERVIEWS'>]><PAMDataset><Metadata domain='&o;'>"
        "<MDI key='OVERVIEW_FILE'>{}</MDI></Metadata></PAMDataset>",
        "<PAMDataset><Metadata domain='overviews'><MDI key='overview_file'>{}</MDI></Metadata>"
        "</PAMDataset>",
    ],
)
def test_notes_beside_a_file_that_name_others_are_left_out(
    notes: str, image: Path, other: Path
) -> None:
    image.with_name("town.tif.aux.xml").write_text(notes.format(other))
    assert reduced(image) == OWN


def test_overviews_that_are_no_tiff_or_name_others_are_left_out(image: Path, other: Path) -> None:
    beside = image.with_name("town.tif.ovr")
    beside.write_text(
        f"<VRTDataset rasterXSize='160' rasterYSize='128'><VRTRasterBand dataType='Byte' band='1'>"
        f"<SimpleSource><SourceFilename>{other}</SourceFilename></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    )
    assert reduced(image) == OWN
    beside.write_bytes(naming(str(other)))
    assert reduced(image) == OWN


def test_other_files_beside_an_upload_never_matter(
    image: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("rsam_core.scene.sources.SPOOL_ABOVE", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "images"))
    for name in ("image.ovr", "image.tfw", "image.aux.xml", "town.ovr"):
        image.with_name(name).write_bytes(naming("elsewhere"))
    scene = open_scene(image.read_bytes(), name="town.tif")
    assert scene.read_rgb(max_size=160).max() == OWN
    assert scene.transform is None


def test_a_projection_beside_a_file_names_no_grids(image: Path) -> None:
    image.with_name("town.tfw").write_text("0.5\n0\n0\n-0.5\n500000.25\n9299999.75\n")
    image.with_name("town.prj").write_text(rasterio.CRS.from_string(UTM).to_wkt())
    assert open_scene(image).crs == UTM
    image.with_name("town.prj").write_text("+proj=utm +zone=37 +nadgrids=/etc/hostname")
    assert open_scene(image).crs is None


_GRIDS = (
    'GEOGCS["x",DATUM["D",SPHEROID["WGS 84",6378137,298.257223563]{datum}],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]{more}]'
)


@pytest.mark.parametrize(
    "system",
    [
        "+proj=longlat +nadgrids={}",
        "+proj=longlat +nadgrids=@null,{}",
        "+init={}:1",
        _GRIDS.replace("{datum}", ',EXTENSION["PROJ4_GRIDS","{}"]').replace("{more}", ""),
        _GRIDS.replace("{datum}", "").replace(
            "{more}", ',EXTENSION["PROJ4","+proj=longlat +ellps=WGS84 +nadgrids={}"]'
        ),
    ],
)
def test_notes_beside_a_file_name_no_grids(system: str, image: Path, tmp_path: Path) -> None:
    image.with_name("town.tfw").write_text("0.5\n0\n0\n-0.5\n50.25\n9.75\n")
    notes = image.with_name("town.tif.aux.xml")
    with trap(tmp_path / "bait") as laid:
        told = escape(system.format(laid.lure.words))
        notes.write_text(f"<PAMDataset><SRS>{told}</SRS></PAMDataset>")
        scene = open_scene(image)
        assert scene.crs is None
        with pytest.raises(MetricError):
            read_truth(b'{"type": "Point", "coordinates": [1, 2]}', scene, name="a.geojson")
        read_truth(image, scene, name="town.tif")
        notes.write_text(f"<PAMDataset><GCPList Projection='{told}'/></PAMDataset>")
        open_scene(image)
        assert laid.visits() == []
    # Others are taken.
    notes.write_text(f"<PAMDataset><SRS>{escape(rasterio.CRS.from_epsg(3857).to_wkt())}</SRS>"
                     "</PAMDataset>")  # fmt: skip
    assert open_scene(image).crs == "EPSG:3857"


def test_below_the_door_a_system_with_grids_is_none_either(image: Path, tmp_path: Path) -> None:
    image.with_name("town.tfw").write_text("0.5\n0\n0\n-0.5\n50.25\n9.75\n")
    file = RasterFile("town.tif", image)
    with file.open() as dataset:
        for text, known in (("+proj=longlat +nadgrids=/x +type=crs", False), ("EPSG:3857", True)):
            told = SimpleNamespace(crs=rasterio.CRS.from_string(text))
            assert (crs_of(told) is not None) is known
        assert crs_of(dataset) is None
