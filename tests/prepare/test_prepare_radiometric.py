"""Tones and colours: against formulas, against peers, and back towards the truth."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color, exposure
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from rsam_core.errors import PrepareError
from rsam_core.prepare import ImageFile, Raster, haze, radiometric, read_raster, write_scene
from rsam_core.prepare.steps.calibration import Calibrate
from rsam_core.prepare.steps.colours import MatchHistogram, RemoveHaze, WhiteBalance
from rsam_core.prepare.steps.tones import Brightness, Clahe, Contrast, Equalize, Gamma, Stretch
from rsam_core.samples import TownSample, write_geotiff
from tests.helpers.towns import rendered


def psnr(truth: np.ndarray, picture: np.ndarray) -> float:
    return peak_signal_noise_ratio(truth, clipped(picture), data_range=255)


def ssim(truth: np.ndarray, picture: np.ndarray) -> float:
    return structural_similarity(truth, clipped(picture), data_range=255, channel_axis=-1)


def clipped(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def raster(picture: np.ndarray, **fields) -> Raster:
    return Raster.of_array(clipped(picture), **fields)


# ------------------------------------------------------------------ formulas


def test_brightness_contrast_and_gamma_follow_their_formulas():
    image = raster(np.array([[[0, 51, 255]]]).repeat(9, 0))
    np.testing.assert_allclose(Brightness(20).apply(image).values[0, 0], [51, 102, 306], atol=1e-3)
    # Around mid grey, 127.5: half the distance.
    half = Contrast(-50).apply(image).values[0, 0]
    np.testing.assert_allclose(half, [63.75, 89.25, 191.25], atol=1e-3)
    bent = Gamma(2).apply(image).values[0, 0]
    np.testing.assert_allclose(bent, [0, 255 * 0.2**0.5, 255], atol=1e-3)


@pytest.mark.parametrize("step", [Brightness(10), Contrast(40), Gamma(1.7), Stretch(2, 2)])
def test_any_data_type_gives_the_same_picture(step, town: TownSample):
    eight = raster(town.image)
    factor = 4000 / 255
    twelve = Raster.of_array(town.image * factor, limits=(0, 4000))
    one = Raster.of_array(town.image[..., :1])
    many = Raster.of_array(np.concatenate([town.image] * 4, axis=2))
    expected = step.apply(eight)
    np.testing.assert_allclose(
        step.apply(twelve).values / factor, expected.values, rtol=1e-4, atol=1e-2
    )
    assert step.apply(one).values.shape == (*town.labels.shape, 1)
    assert step.apply(many).count == 12
    if isinstance(step, Gamma):
        np.testing.assert_allclose(step.apply(one).values, expected.values[..., :1], atol=1e-3)


def test_stretch_takes_percentiles_of_valid_pixels_to_the_ends():
    values = np.tile(np.arange(101, dtype=np.float32), (4, 1))[..., None] + 50
    valid = np.ones((4, 101), bool)
    spoiled = np.concatenate([values, np.full((4, 50, 1), 9e6, np.float32)], axis=1)
    valid = np.concatenate([valid, np.zeros((4, 50), bool)], axis=1)
    image = Raster.of_array(spoiled, valid, limits=(0, 200))
    done = Stretch(10, 20).apply(image).values[0, :101, 0]
    # Percentile 10 is 60, percentile 80 is 130.
    expected = np.clip((np.arange(101) + 50 - 60) / 70, 0, 1) * 200
    np.testing.assert_allclose(done, expected, atol=1e-3)


def test_stretch_keeps_colours_unless_told_otherwise(town: TownSample):
    blue = raster(town.image * [0.5, 0.6, 0.9])
    together = Stretch().apply(blue).values
    # Alike: the ratios of differences stay, up to clipping.
    inside = ((together > 0) & (together < 255)).all(axis=-1)
    slope = np.diff(together[inside], axis=1) / np.diff(blue.values[inside], axis=1)
    steep = np.abs(np.diff(blue.values[inside], axis=1)) > 20
    assert np.ptp(slope[steep]) < 1e-3
    alone = Stretch(together=False).apply(blue).values
    ends = np.percentile(alone, (1, 99), axis=(0, 1))
    np.testing.assert_allclose(ends, [[0] * 3, [255] * 3], atol=0.5)


def test_equalisation_agrees_with_scikit_image(town: TownSample):
    grey = town.image[..., :1]
    done = Equalize().apply(raster(grey)).values[..., 0] / 255
    peer = exposure.equalize_hist(grey[..., 0], nbins=256)
    # The peer gives the share of pixels not above, this the middle of those that share a value.
    assert np.abs(done - peer).max() < 0.015
    half = Equalize(50).apply(raster(grey)).values[..., 0] / 255
    np.testing.assert_allclose(half, (done + grey[..., 0] / 255) / 2, atol=1e-4)


def test_equalised_colours_keep_their_hue(town: TownSample):
    image = raster(town.image)
    done = Equalize().apply(image).values
    lightness = color.rgb2lab(np.clip(done, 0, 255) / 255)[..., 0]
    shares = np.histogram(lightness, 10, (0, 100))[0] / lightness.size
    # A tenth each, were it not for colours that cannot be that light or dark and are clipped.
    assert shares.max() < 0.16
    before, after = (
        color.rgb2lab(picture / 255)[..., 1:] for picture in (image.values, np.clip(done, 0, 255))
    )
    coloured = np.hypot(*np.moveaxis(before, -1, 0)) > 15
    turned = np.einsum("ij,ij->i", before[coloured], after[coloured])
    turned /= np.linalg.norm(before[coloured], axis=1) * np.linalg.norm(after[coloured], axis=1)
    assert np.median(np.degrees(np.arccos(np.clip(turned, -1, 1)))) < 6


def test_local_contrast_grows_in_the_shade(town: TownSample):
    shade = np.ones(town.labels.shape)
    shade[:, :224] = 0.3
    image = raster(town.image * shade[..., None])
    done = Clahe(3, 8).apply(image)
    shaded, lit = (
        done.values[:, p].std() / image.values[:, p].std()
        for p in (slice(None, 224), slice(224, None))
    )
    assert shaded > 1.6
    assert shaded > 1.3 * lit
    strong, gentle = (Clahe(clip).apply(image).values.std() for clip in (6, 1.5))
    assert strong > gentle


def test_white_balance_by_hand():
    # Means 40, 80, 120 → 80 each.
    values = np.array([[[20, 60, 90], [60, 100, 150]]]).repeat(9, 0)
    done = WhiteBalance("grey").apply(raster(values)).values
    np.testing.assert_allclose(done.mean(axis=(0, 1)), [80] * 3, atol=1e-3)
    np.testing.assert_allclose(done[0, 0], values[0, 0] * [2, 1, 80 / 120], atol=1e-3)
    patch = WhiteBalance("white", 0).apply(raster(values)).values
    np.testing.assert_allclose(patch[0, 1], [310 / 3] * 3, atol=1e-3)
    grey = raster(values[..., :1])
    np.testing.assert_array_equal(WhiteBalance().apply(grey).values, grey.values)
    black = raster(np.zeros((9, 9, 3)))
    np.testing.assert_array_equal(WhiteBalance().apply(black).values, 0)


def test_calibration_by_hand():
    image = Raster.of_array(np.full((9, 9, 3), 110, np.uint16), limits=(0, 1000))
    done = Calibrate("0.5, 1, 2", "10").apply(image)
    np.testing.assert_allclose(done.values[0, 0], [65, 120, 230])
    assert done.dtype == "uint16"
    units = Calibrate("0.0001", "-0.1", "units").apply(image)
    np.testing.assert_allclose(units.values, -0.089, atol=1e-6)
    assert units.dtype == "float32"
    np.testing.assert_array_equal(units.rgb(), image.rgb())
    reversed_ = Calibrate("-1", "255", "units").apply(image)
    assert reversed_.limits[0] < reversed_.limits[1]


@pytest.mark.parametrize(
    ("gains", "offsets", "message"),
    [
        ("one", "0", "not a list of numbers"),
        ("1, 0, 1", "0", "cannot be used"),
        ("1", "nan", "cannot be used"),
        ("1,2", "0", "2 numbers and the image 3 bands"),
        ("", "0", "not a list"),
    ],
)
def test_calibration_that_cannot_be_read(gains: str, offsets: str, message: str):
    with pytest.raises(PrepareError, match=message):
        Calibrate(gains, offsets).apply(raster(np.zeros((9, 9, 3))))


def test_matching_agrees_with_scikit_image(town: TownSample):
    other = rendered(300, 200, gsd=0.3, seed=5, style="harbour")
    step = MatchHistogram(ImageFile("harbour.tif", write_geotiff(other)))
    done = step.apply(raster(town.image * 0.5 + 20)).values
    peer = exposure.match_histograms(clipped(town.image * 0.5 + 20), other.image, channel_axis=-1)
    # Half the contrast: a level of the source stands for two of the target. The peer takes the
    # upper one, this the middle.
    assert np.abs(done - peer).mean() < 2.0
    for band in range(3):
        ends = np.percentile(done[..., band], (5, 50, 95))
        goal = np.percentile(other.image[..., band], (5, 50, 95))
        np.testing.assert_allclose(ends, goal, atol=4)


def test_matching_a_grey_reference_and_none(town: TownSample):
    grey = rendered(64, 64, gsd=0.3, seed=5)
    grey = write_scene(Raster.of_array(grey.image[..., :1]), "grey.tif")._file.source
    done = MatchHistogram(ImageFile("grey.tif", grey)).apply(raster(town.image))
    assert done.count == 3
    unset, image = MatchHistogram(), raster(town.image)
    assert unset.apply(image) is image
    assert "reference image" in unset.missing()
    assert MatchHistogram(ImageFile("grey.tif", grey)).missing() == ""


def test_an_empty_image_is_no_guide(town: TownSample):
    empty = Raster.of_array(town.image, np.zeros(town.labels.shape, bool))
    for step in (Stretch(), Equalize(), WhiteBalance(), RemoveHaze()):
        with pytest.raises(PrepareError, match="holds no data"):
            step.apply(empty)
    with pytest.raises(PrepareError, match="holds no data"):
        radiometric.quantiles(np.zeros((0, 3), np.float32))


# ------------------------------------------------------------------ haze


def test_haze_is_measured_on_the_darkest_and_follows_the_model():
    samples = np.full((1000, 4), 0.6, np.float32)
    samples[:50] = [0.20, 0.16, 0.14, 0.13]
    dark = haze.dark_objects(samples, 1)
    np.testing.assert_allclose(dark, [0.20, 0.16, 0.14, 0.13], atol=1e-6)
    lengths = haze.wavelengths_of(("Blue", "green band", "RED", "near_infrared"))
    assert lengths == (0.48, 0.56, 0.66, 0.83)
    model = haze.dark_objects(samples, 1, lengths, 4.0)
    # 0.2 × (λ / 0.48)^−4, all below what was measured.
    np.testing.assert_allclose(model, [0.2 * (0.48 / n) ** 4 for n in lengths], rtol=1e-5)
    mild = haze.dark_objects(samples, 1, lengths, 0.5)
    assert (mild <= dark + 1e-6).all(), "never more than the image shows"
    assert haze.wavelengths_of(("red", "band 2")) == ()
    with pytest.raises(PrepareError, match="each band by itself"):
        haze.dark_objects(samples, 1, (), 2.0)


def test_haze_of_sixteen_bits_is_measured_from_zero_not_from_the_view():
    rng = np.random.default_rng(0)
    ground = rng.uniform(0, 2000, (60, 60, 3))
    ground[:6] = 0
    air = np.array([900.0, 600, 400])
    image = Raster.of_array((ground + air).astype(np.uint16))
    assert image.limits[0] > 300
    done = RemoveHaze(percentile=1, reflectance=0, model="own", restore=False).apply(image)
    assert np.abs(done.values - ground).max() < 1.5


# ------------------------------------------------------------------ back towards the truth


def degraded() -> dict[str, tuple]:
    """Degradation, step against it, least gain in PSNR (dB) and in SSIM.

    What the margins come from: a known curve is undone up to rounding to 8 bits, which leaves an
    error of at most half a level, times the slope of the inverse. Statistics (haze, balance,
    matching) know the truth only through the image, so less is asked of them: haze is measured
    on shade, and the darkest of the harbour is not as dark as the step takes shade to be.
    """
    air = np.array([235.0, 238, 242])
    return {
        "dark": (lambda t: t - 38.25, Brightness(15), 12, 0.01),
        "flat": (lambda t: (t - 127.5) * 0.5 + 127.5, Contrast(100), 20, 0.05),
        "gamma": (lambda t: 255 * (t / 255) ** 2.2, Gamma(2.2), 15, 0.1),
        "gain": (lambda t: (t - [12, 6, 3]) / [1.3, 1.1, 0.9],
                 Calibrate("1.3, 1.1, 0.9", "12, 6, 3"), 15, 0.01),
        "haze": (lambda t: t * 0.6 + 0.4 * air, RemoveHaze(percentile=0.1), 2.5, 0.01),
        "cast": (lambda t: t * [0.75, 1.0, 1.25], WhiteBalance("grey"), 3, 0.0),
    }  # fmt: skip


@pytest.mark.parametrize("kind", degraded())
@pytest.mark.parametrize("style", ["estate", "harbour"])
def test_each_step_moves_the_picture_back_towards_the_truth(kind: str, style: str):
    spoil, step, decibels, structure = degraded()[kind]
    truth = rendered(320, 256, gsd=0.3, seed=4, style=style).image
    before = clipped(spoil(truth.astype(float)))
    after = step.apply(raster(before)).values
    assert psnr(truth, after) > psnr(truth, before) + decibels
    assert ssim(truth, after) > ssim(truth, before) + structure


def test_matching_another_date_recovers_it():
    truth = rendered(320, 256, gsd=0.3, seed=4).image
    spoiled = clipped(255 * (truth / 255.0) ** 1.8 * [0.6, 0.7, 0.9])
    # The reference shows the same ground in its proper light.
    reference = write_scene(Raster.of_array(truth[:, ::-1]), "other.tif")._file.source
    after = MatchHistogram(ImageFile("other.tif", reference)).apply(raster(spoiled)).values
    assert psnr(truth, after) > psnr(truth, spoiled) + 15
    assert ssim(truth, after) > 0.97


def test_a_dull_picture_gets_its_tones_back(town: TownSample):
    # The truth uses all tones; that is what the step goes by.
    truth = clipped(Stretch(0.1, 0.1).apply(raster(town.image)).values)
    dull = clipped(truth * 0.4 + 60.0)
    after = Stretch(0.1, 0.1).apply(raster(dull)).values
    # Rounding to 8 bits and stretching by 2.5 leaves errors up to 1.25 levels: 51 dB. Clipped
    # tails cost more.
    assert psnr(truth, after) > 40 > psnr(truth, dull) + 20


def test_clear_air_is_left_alone(town: TownSample):
    clear = raster(town.image)
    after = RemoveHaze().apply(clear).values
    assert psnr(town.image, after) > 28


def test_haze_is_taken_away_without_a_change_of_colour():
    """Seen from the white of the air, every colour keeps its direction."""
    rng = np.random.default_rng(3)
    ground = rng.uniform(30, 220, (60, 60, 3))
    ground[:8] = (40, 30, 20)
    hazy = clipped(ground * 0.6 + 0.4 * 255)
    step = RemoveHaze(percentile=1)
    after = step.apply(raster(hazy)).values
    assert hazy.min() - after.min() > 60, "most of the veil is gone"
    inside = (after > 1).all(axis=-1) & (after < 254).all(axis=-1)
    before = 255 - hazy[inside].astype(float)
    now = 255 - after[inside]
    ratios = now / before
    # One factor for all bands, up to the rounding of 8 bits.
    np.testing.assert_allclose(ratios, np.median(ratios), rtol=0.02)
    apart = RemoveHaze(percentile=1, model="own").apply(raster(hazy)).values
    shares = (255 - apart[inside]) / before
    assert np.ptp(np.median(shares, axis=0)) > 0.05, "each band by itself shifts them"


def test_dark_objects_keep_what_they_reflect():
    # sRGB gives 1 % reflectance the value 25 of 255 (IEC 61966-2-1).
    assert haze.as_displayed(0.01) * 255 == pytest.approx(25.4, abs=0.2)
    assert haze.as_displayed(1.0) == pytest.approx(1.0)
    truth = np.linspace(0.1, 1, 50, dtype=np.float32)[:, None]
    hazy = truth * 0.7 + 0.3
    done = haze.subtract_dark(hazy, hazy.min(axis=0), keep=0.1)
    np.testing.assert_allclose(done, truth, atol=1e-5)
    only = haze.subtract_dark(hazy, hazy.min(axis=0), keep=0.1, restore=False)
    np.testing.assert_allclose(only, hazy - (0.37 - 0.1), atol=1e-5)


def test_haze_in_a_stretched_view_changes_values_and_keeps_the_look(town: TownSample):
    hazy = (town.image * 9.0 + 1500).astype(np.uint16)
    scene = write_scene(Raster.of_array(hazy), "hazy.tif")
    image = read_raster(scene)
    done = RemoveHaze(model="own", restore=False).apply(image)
    # The darkest of the town are about 25 of 255, so 225 of its 16-bit values: what remains of
    # them is the hundredth that they are taken to reflect.
    assert np.percentile(done.values, 0.1, axis=(0, 1)) == pytest.approx(
        [0.01 * image.limits[1]] * 3, rel=0.05
    )
    np.testing.assert_allclose(done.rgb().astype(int), image.rgb(), atol=1)
    np.testing.assert_allclose(
        write_scene(done, "d.tif").read_rgb().astype(int), image.rgb(), atol=1
    )
