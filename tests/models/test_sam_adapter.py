"""The adapter against `segment_anything.SamPredictor`, on a small SAM with random weights."""

from __future__ import annotations

import hashlib
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from segment_anything.utils.amg import calculate_stability_score

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded
from rsam_core.models.catalog import ModelInfo
from rsam_core.models.load import load_model
from rsam_core.models.sam.model import BUILDERS, SamModel
from rsam_core.models.sam.upsample import mask_from_logits
from rsam_core.objects.crops import crop_together
from tests.helpers.sam import CELLS, SIDE, build, lively

VIEWS = [(128, 128), (150, 200), (90, 61), (1, 7)]


@pytest.fixture(scope="module")
def sam() -> Sam:
    return lively()


@pytest.fixture(scope="module")
def model(sam) -> SamModel:
    return SamModel(sam, "sam-test", device="cpu")


def picture(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (*shape, 3), dtype=np.uint8)


def make_prompt(points=None, labels=None, box=None, mask=None) -> SimpleNamespace:
    return SimpleNamespace(
        points=np.zeros((0, 2)) if points is None else np.array(points, dtype=float),
        labels=np.zeros(0, dtype=int) if labels is None else np.array(labels),
        box=None if box is None else np.array(box, dtype=float),
        mask=mask,
    )


def some_prompts(shape: tuple[int, int]) -> dict[str, SimpleNamespace]:
    height, width = shape
    one = [(0.4 * width, 0.6 * height)]
    two = [*one, (0.9 * width, 0.1 * height)]
    box = (0.1 * width, 0.2 * height, 0.7 * width, 0.9 * height)
    return {
        "point": make_prompt(one, [1]),
        "points": make_prompt(two, [1, 0]),
        "box": make_prompt(box=box),
        "both": make_prompt(two, [1, 0], box),
    }


def official(sam: Sam, image: np.ndarray, prompt, multimask: bool, mask_input=None):
    """Ask SamPredictor, whose coordinates are pixel indices in the model input's raster."""
    predictor = SamPredictor(sam)
    predictor.set_image(image)
    (height, width), (input_height, input_width) = image.shape[:2], predictor.input_size
    shift = 0.5 * np.array([width / input_width, height / input_height])
    masks, scores, lowres = predictor.predict(
        point_coords=prompt.points - shift if len(prompt.points) else None,
        point_labels=prompt.labels if len(prompt.points) else None,
        box=None if prompt.box is None else prompt.box - np.tile(shift, 2),
        mask_input=mask_input,
        multimask_output=multimask,
        return_logits=True,
    )
    stability = calculate_stability_score(torch.from_numpy(masks), 0.0, 1.0)
    return masks > 0, scores, lowres, stability.numpy()


def assert_same(decoded: Decoded, expected, shape: tuple[int, int]) -> None:
    masks, scores, lowres, stability = expected
    full = decoded.full(shape)
    assert full.shape == masks.shape
    # Interpolation weights differ in the last bit, which only a logit of zero can show.
    assert (full != masks).sum() <= 1e-4 * masks.size
    np.testing.assert_allclose(decoded.scores, scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(decoded.lowres, lowres, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(decoded.stability, np.nan_to_num(stability), atol=2e-3)


@pytest.mark.parametrize("multimask", [True, False])
@pytest.mark.parametrize("kind", ["point", "points", "box", "both"])
@pytest.mark.parametrize("shape", VIEWS)
def test_same_answer_as_the_official_predictor(sam, model, shape, kind, multimask):
    image, prompt = picture(shape), some_prompts(shape)[kind]
    decoded = model.decode(model.encode(image), prompt, multimask)
    assert len(decoded.masks) == (3 if multimask else 1)
    assert_same(decoded, official(sam, image, prompt, multimask), shape)


def test_masks_of_the_test_model_are_not_trivial(model):
    prompts = some_prompts((150, 200)).values()
    features = model.encode(picture((150, 200)))
    shares = [m.mean() for p in prompts for m in model.decode(features, p, True).full((150, 200))]
    assert np.mean([0.02 < share < 0.98 for share in shares]) > 0.7
    assert len({round(share, 3) for share in shares}) > 4


@pytest.mark.parametrize("shape", VIEWS)
def test_previous_logits_refine_as_in_the_official_predictor(sam, model, shape):
    image, prompt = picture(shape), some_prompts(shape)["points"]
    features = model.encode(image)
    first = model.decode(features, prompt, multimask=True)
    again = model.decode(features, prompt, multimask=False, previous=first.lowres[1])
    expected = official(sam, image, prompt, False, mask_input=first.lowres[1][None])
    assert_same(again, expected, shape)
    assert not np.allclose(again.scores, model.decode(features, prompt, False).scores)


def test_mask_prompt_is_given_as_confident_logits(sam, model):
    # In a view of the model's own size a low-resolution cell is a block of 4 × 4 pixels.
    image, mask = picture((SIDE, SIDE)), np.zeros((SIDE, SIDE), dtype=bool)
    mask[32:64, 16:80] = True
    logits = np.full((1, SIDE // 4, SIDE // 4), np.log(0.001 / 0.999))
    logits[0, 8:16, 4:20] *= -1
    for prompt in (make_prompt(mask=mask), make_prompt([(30, 50)], [1], mask=mask)):
        decoded = model.decode(model.encode(image), prompt, multimask=True)
        assert_same(decoded, official(sam, image, prompt, True, logits), image.shape[:2])


@pytest.mark.parametrize("shape", [(150, 200), (90, 61), (300, 310)])
def test_mask_prompt_keeps_its_place(model, shape):
    height, width = shape
    rows, columns = np.mgrid[:height, :width] + 0.5
    mask = (columns / width - 0.55) ** 2 + (rows / height - 0.4) ** 2 < 0.25**2
    features = model.encode(picture(shape))
    logits = model._mask_logits(features, mask)[0, 0]
    back, x, y, _ = mask_from_logits(logits, SIDE, features.input_size, shape)
    full = Decoded(back[None], x, y, np.zeros(1), None, np.zeros(1)).full(shape)[0]
    assert (full & mask).sum() / (full | mask).sum() > 0.95


def test_mask_prompt_of_another_size_is_refused(model):
    features = model.encode(picture((20, 30)))
    with pytest.raises(ModelError, match=r"\(30, 20\).*\(20, 30\)"):
        model.decode(features, make_prompt(mask=np.ones((30, 20), dtype=bool)), True)


def test_many_prompts_of_mixed_kinds_keep_their_order(model):
    shape = (90, 61)
    features = model.encode(picture(shape))
    mask = np.zeros(shape, dtype=bool)
    mask[20:50, 10:40] = True
    kinds = [*some_prompts(shape).values(), make_prompt(mask=mask)]
    prompts = [*kinds, make_prompt([(5, 5)], [1]), make_prompt([(50, 80)], [1]), *kinds]
    together = model.decode_many(features, prompts, multimask=True)
    assert len(together) == len(prompts)
    for decoded, prompt in zip(together, prompts, strict=True):
        alone = model.decode(features, prompt, multimask=True)
        np.testing.assert_allclose(decoded.scores, alone.scores, rtol=1e-4)
        assert (decoded.full(shape) != alone.full(shape)).sum() <= 3
    assert model.decode_many(features, [], multimask=True) == []


def test_points_may_be_none(model):
    features = model.encode(picture((40, 40)))
    box = np.array([4.0, 4, 30, 30])
    nothing = SimpleNamespace(points=None, labels=None, box=box, mask=None)
    expected = model.decode(features, make_prompt(box=box), True)
    assert (model.decode(features, nothing, True).masks == expected.masks).all()


def test_features_state_their_size(model):
    assert model.encode(picture((150, 200))).nbytes == 3.5 * 32 * CELLS * CELLS * 4


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_images_are_refused(model, image):
    with pytest.raises(ModelError, match="RGB image of 8 bits"):
        model.encode(image)


def test_threads_share_a_model(model):
    shapes = [(128, 128), (150, 200)] * 6

    def answer(shape):
        prompt = some_prompts(shape)["both"]
        return model.decode(model.encode(picture(shape)), prompt, True)

    expected = {shape: answer(shape) for shape in set(shapes)}
    with ThreadPoolExecutor(4) as pool:
        for shape, decoded in zip(shapes, pool.map(answer, shapes), strict=True):
            np.testing.assert_allclose(decoded.scores, expected[shape].scores, rtol=1e-4)
            assert (decoded.full(shape) != expected[shape].full(shape)).sum() <= 3


class TestMaskFromLogits:
    @pytest.mark.parametrize("view", [(128, 128), (128, 96), (300, 225), (40, 30)])
    @pytest.mark.parametrize("cells", [(0, 2, 0, 3), (10, 11, 12, 13), (20, 32, 5, 9)])
    def test_equals_enlarging_everything(self, view, cells):
        input_size = (128, 128) if view[0] == view[1] else (128, 96)
        noise = torch.rand((32, 32), generator=torch.Generator().manual_seed(1))
        r0, r1, c0, c1 = cells
        core = slice(r0, r1), slice(c0, c1)
        halo = slice(max(0, r0 - 3), r1 + 3), slice(max(0, c0 - 3), c1 + 3)
        # A strong core, a halo that only the looser threshold lets in, and nothing around it.
        logits = -1 - noise
        logits[halo] = -noise[halo]
        logits[core] = noise[core] * 30
        whole = Sam.postprocess_masks(
            SimpleNamespace(image_encoder=SimpleNamespace(img_size=SIDE)),
            logits[None, None],
            input_size,
            view,
        )[0, 0]
        mask, x, y, stability = mask_from_logits(logits, SIDE, input_size, view)
        full = np.zeros(view, dtype=bool)
        full[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
        assert (full == (whole > 0).numpy()).all()
        assert stability == pytest.approx(float((whole > 1).sum() / (whole > -1).sum()))
        assert mask.size < 0.75 * full.size

    def test_object_in_the_padding_is_nothing(self):
        logits = torch.full((32, 32), -6.0)
        logits[28:, :] = 6.0
        mask, x, y, stability = mask_from_logits(logits, SIDE, (64, 128), (64, 128))
        assert (mask.any(), x, y, stability) == (False, 0, 0, 0.0)

    def test_nothing_above_the_threshold(self):
        mask, *_, stability = mask_from_logits(torch.full((32, 32), -6.0), SIDE, (9, 9), (9, 9))
        assert mask.shape == (1, 1)
        assert not mask.any()
        assert stability == 0.0


class TestCropTogether:
    def test_window_is_tight_around_all_masks(self):
        a = np.zeros((5, 5), dtype=bool)
        a[1, 2] = True  # at column 12, row 21
        b = np.ones((2, 1), dtype=bool)  # columns 14, rows 25 and 26
        masks, x, y = crop_together([(a, 10, 20), (b, 14, 25)])
        assert (x, y, masks.shape) == (12, 21, (2, 6, 3))
        assert np.argwhere(masks).tolist() == [[0, 0, 0], [1, 4, 2], [1, 5, 2]]

    def test_empty_masks(self):
        masks, x, y = crop_together([(np.zeros((4, 4), dtype=bool), 3, 3)] * 2)
        assert (masks.shape, masks.any(), x, y) == ((2, 1, 1), False, 0, 0)


class _Evil:
    """Pickles into a call; opening it carelessly would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


class TestLoading:
    @pytest.fixture
    def install(self, tmp_path, monkeypatch):
        """Write a checkpoint and return the facts under which it can be loaded."""
        monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
        monkeypatch.setitem(BUILDERS, "vit_test", build)

        def write(content, *, save=torch.save, arch="vit_test") -> ModelInfo:
            path = tmp_path / "test.pth"
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                save(content, path)
            data = path.read_bytes()
            return ModelInfo(
                name="sam-test",
                title="SAM test",
                family="sam",
                description="",
                licence="Apache-2.0",
                memory_mb=10,
                file="test.pth",
                bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                url="http://localhost/test.pth",
                arch=arch,
            )

        return write

    @pytest.mark.parametrize("zipped", [True, False])
    def test_weights_arrive_in_the_network(self, install, sam, model, zipped):
        save = partial(torch.save, _use_new_zipfile_serialization=zipped)
        loaded = load_model(install(sam.state_dict(), save=save))
        assert loaded.name == "sam-test"
        image, prompt = picture((60, 80)), some_prompts((60, 80))["both"]
        expected = model.decode(model.encode(image), prompt, True)
        decoded = loaded.decode(loaded.encode(image), prompt, True)
        np.testing.assert_allclose(decoded.scores, expected.scores, rtol=1e-4)
        assert (decoded.full((60, 80)) != expected.full((60, 80))).sum() <= 3

    @pytest.mark.parametrize("zipped", [True, False])
    def test_a_file_that_holds_a_program_is_not_run(self, install, tmp_path, zipped):
        target = tmp_path / "was-run"
        save = partial(torch.save, _use_new_zipfile_serialization=zipped)
        with pytest.raises(ModelError, match="more than model weights"):
            load_model(install({"weight": _Evil(target)}, save=save))
        assert not target.exists()

    def test_a_plain_pickle_is_not_run(self, install, tmp_path):
        target = tmp_path / "was-run"
        with pytest.raises(ModelError, match=r"test\.pth"):
            load_model(install(pickle.dumps(_Evil(target), protocol=2)))
        assert not target.exists()

    @pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 broken"])
    def test_other_files(self, install, content):
        with pytest.raises(ModelError, match=r"test\.pth"):
            load_model(install(content))

    def test_a_truncated_checkpoint(self, install, sam, tmp_path):
        install(sam.state_dict())
        half = (tmp_path / "test.pth").read_bytes()[:20_000]
        with pytest.raises(ModelError, match=r"test\.pth"):
            load_model(install(half))

    @pytest.mark.parametrize("content", [torch.zeros(3), {"epoch": 3}, [torch.zeros(3)]])
    def test_other_things_than_a_table_of_weights(self, install, content):
        with pytest.raises(ModelError, match="not a plain list of weights"):
            load_model(install(content))

    def test_missing_surplus_and_misshapen_weights(self, install, sam):
        weights = sam.state_dict()
        del weights["mask_decoder.iou_token.weight"]
        weights["extra"] = torch.zeros(1)
        weights["extra2"] = torch.zeros(1)
        weights["image_encoder.pos_embed"] = torch.zeros(1)
        expected = r"1 weights are missing, 2 are unknown and 1 have another size.*iou_token"
        with pytest.raises(ModelError, match=expected):
            load_model(install(weights))

    def test_wrong_hash_is_refused_before_it_is_opened(self, install, sam, tmp_path):
        info = install(sam.state_dict())
        path = tmp_path / "test.pth"
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        with pytest.raises(ModelError, match="not the published file"):
            load_model(info)

    def test_unknown_architecture(self, install, sam):
        with pytest.raises(ModelError, match="unknown architecture “vit_x”"):
            load_model(install(sam.state_dict(), arch="vit_x"))

    def test_too_little_memory(self, install, sam, monkeypatch):
        def no_memory():
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

        monkeypatch.setitem(BUILDERS, "vit_test", no_memory)
        with pytest.raises(ModelError, match="free memory"):
            load_model(install(sam.state_dict()))

    def test_not_installed(self, install, tmp_path):
        with pytest.raises(ModelError, match=r"Models page.*sam_vit_b_01ec64\.pth") as caught:
            load_model("sam-vit-b")
        assert str(tmp_path) in str(caught.value)

    def test_default_is_the_embedded_model(self, monkeypatch):
        embedded = SimpleNamespace(name="rsam-tiny")
        module = SimpleNamespace(load_tiny=lambda: embedded)
        monkeypatch.setitem(sys.modules, "rsam_core.models.tiny", module)
        assert load_model() is embedded
        assert load_model("rsam-tiny") is embedded

    def test_unknown_name(self):
        with pytest.raises(ModelError, match="no model called"):
            load_model("sam")


def test_official_architectures_are_those_of_the_package():
    # Built without memory: only names and shapes matter here.
    with torch.device("meta"):
        wide = {arch: builder().image_encoder.pos_embed.shape for arch, builder in BUILDERS.items()}
    assert wide == {arch: (1, 64, 64, n) for arch, n in zip(wide, (768, 1024, 1280), strict=True)}
    assert list(wide) == ["vit_b", "vit_l", "vit_h"]


def test_the_last_norm_is_told_behind_a_queue_too():
    """Features without it, as AnyChange compares them, have mean 0 and variance 1 a cell."""
    from contextlib import nullcontext

    from rsam_core.models.queued import QueuedModel

    sam = lively()
    with torch.no_grad():
        sam.image_encoder.neck[-1].weight.uniform_(0.5, 2)
        sam.image_encoder.neck[-1].bias.uniform_(-1, 1)
    model = SamModel(sam, "sam-test", device="cpu")
    weight, bias = QueuedModel(model, lambda line: nullcontext()).neck_norm()
    with torch.inference_mode():
        shown = torch.as_tensor(picture((128, 128))).permute(2, 0, 1)[None].float()
        maps = sam.image_encoder(sam.preprocess(shown))[0].numpy()
    plain = (maps - bias[:, None, None]) / weight[:, None, None]
    assert np.allclose(plain.mean(0), 0, atol=1e-4)
    # The variance falls short of 1 by what keeps the norm from dividing by nothing.
    assert np.allclose(plain.var(0), 1, atol=0.05)
    assert not np.allclose(maps.mean(0), 0, atol=1e-4)
