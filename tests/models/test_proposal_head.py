"""Dense proposals: what the head's maps mean, and what becomes of its peaks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rsam_core.errors import ModelError
from rsam_core.models.tiny.model import TinyModel, load_tiny
from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.models.tiny.proposal_head import LevelMaps, ProposalHead, ProposalMaps, find_peaks


def maps_with(
    fine: list[tuple[int, int, float, float, tuple[float, float, float, float]]],
    coarse: list[tuple[int, int, float, float, tuple[float, float, float, float]]] = (),
    shape: tuple[int, int] = (128, 160),
) -> ProposalMaps:
    """Maps that are silent but for (row, column, building, anything, sides) in some cells."""
    levels = []
    for cells, stride in ((fine, 4), (coarse, 16)):
        heat = torch.full((1, 2, shape[0] // stride, shape[1] // stride), -9.0)
        sides = torch.ones(1, 4, *heat.shape[2:])
        for row, column, building, anything, four in cells:
            values = torch.tensor([building, anything])
            heat[0, :, row, column] = torch.logit(values)
            sides[0, :, row, column] = torch.tensor(four)
        levels.append(LevelMaps(heat, sides, stride))
    return ProposalMaps(*levels)


def test_head_has_a_map_at_stride_4_and_one_at_stride_16():
    torch.manual_seed(0)
    head = ProposalHead().eval()
    assert 100_000 <= sum(p.numel() for p in head.parameters()) <= 200_000
    with torch.inference_mode():
        maps = head(torch.randn(2, 128, 12, 20), torch.randn(2, 32, 24, 40))
    assert maps.fine.heat.shape == (2, 2, 24, 40)
    assert maps.fine.sides.shape == (2, 4, 24, 40)
    assert maps.coarse.heat.shape == (2, 2, 6, 10)
    for level in maps.levels:
        assert (level.sides > 0).all()
        # A fresh head holds centres for rare: e^-4 of the cells, about 2 %.
        assert torch.sigmoid(level.heat).mean() == pytest.approx(0.018, abs=0.01)


def test_odd_numbers_of_cells():
    # 32 × 96 pixels: 4 × 12 cells of 8 pixels, 2 × 6 of 16, 1 × 3 of 32. 96 × 32 × 3 likewise.
    head = ProposalHead().eval()
    with torch.inference_mode():
        maps = head(torch.randn(1, 128, 5, 7), torch.randn(1, 32, 10, 14))
    assert maps.fine.heat.shape[2:] == (10, 14)
    assert maps.coarse.heat.shape[2:] == (3, 4)


def test_boxes_are_measured_from_the_middle_of_the_cell():
    maps = maps_with([(3, 5, 0.2, 0.9, (7, 5, 11, 9))])
    # The middle of column 5, row 3 at stride 4 lies at 22, 14.
    assert maps.fine.boxes()[0, :, 3, 5].tolist() == pytest.approx([15, 9, 33, 23])
    found = find_peaks(maps, (128, 160))
    assert found.boxes == pytest.approx(np.array([[15, 9, 33, 23]]))
    assert found.centres == pytest.approx(np.array([[22, 14]]))
    assert found.scores == pytest.approx([0.9], abs=1e-4)
    assert found.buildings == pytest.approx([0.2], abs=1e-4)


def test_peaks_are_the_highest_of_their_neighbours_best_first():
    around = [(10, 10, 0.1, 0.8, (8, 8, 8, 8)), (10, 11, 0.1, 0.7, (8, 8, 8, 8))]
    far = (20, 30, 0.95, 0.3, (6, 6, 6, 6))
    found = find_peaks(maps_with([*around, far]), (128, 160))
    # The building's own heat counts, too.
    assert found.scores == pytest.approx([0.95, 0.8], abs=1e-4)
    assert found.centres.tolist() == [[122, 82], [42, 42]]


def test_both_levels_count_and_doubles_go():
    # The same box of 64 pixels by both levels, and a larger one around it by the coarse one.
    maps = maps_with(
        [(12, 16, 0.1, 0.6, (32, 32, 32, 32))],
        [(3, 4, 0.1, 0.9, (38, 38, 26, 26)), (6, 1, 0.1, 0.5, (24, 40, 40, 24))],
    )
    found = find_peaks(maps, (128, 160))
    # 66, 50 and 72, 56 are the middles; both boxes are 34, 18, 98, 82.
    assert found.boxes[0] == pytest.approx([34, 18, 98, 82])
    assert found.scores == pytest.approx([0.9, 0.5], abs=1e-4)
    assert len(find_peaks(maps, (128, 160), same=1.0)) == 3


def test_thresholds_number_and_borders():
    cells = [(2 * i, 2 * i, 0.1, 0.2 + 0.05 * i, (3, 3, 3, 3)) for i in range(12)]
    maps = maps_with(cells)
    assert len(find_peaks(maps, (128, 160))) == 12
    assert len(find_peaks(maps, (128, 160), lowest=0.49)) == 6
    assert find_peaks(maps, (128, 160), most=2).scores == pytest.approx([0.75, 0.7], abs=1e-4)
    assert len(find_peaks(maps, (128, 160), smallest=7)) == 0
    # A view of 50 × 40 in the padded 128 × 160: what is centred beyond it is none of it.
    inside = find_peaks(maps, (40, 50), smallest=1)
    assert len(inside) == 5
    assert inside.boxes[:, 2].max() <= 50
    assert inside.boxes[:, 3].max() <= 40
    assert inside.boxes.min() >= 0


def test_silence_gives_no_proposals():
    found = find_peaks(maps_with([]), (128, 160))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)


def test_model_proposes_with_the_head_and_says_so_without():
    image = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    torch.manual_seed(0)
    with_head = TinyModel(TinyNetwork(folded=True, proposing=True))
    assert with_head.proposes
    # A fresh head is unsure everywhere; with no threshold its peaks are proposals all the same.
    found = with_head.propose(with_head.encode(image), most=20, lowest=0.0)
    assert 0 < len(found) <= 20
    assert (found.boxes[:, 2] <= 90).all()
    assert (found.boxes[:, 3] <= 70).all()
    without = TinyModel(TinyNetwork(folded=True))
    assert not without.proposes
    with pytest.raises(ModelError, match="cannot propose"):
        without.propose(without.encode(image))


@pytest.mark.parametrize("parts", [set(), {"proposals"}, {"kinds"}, {"proposals", "kinds"}])
def test_weights_load_with_and_without_the_new_parts(parts, tmp_path):
    from safetensors.torch import save_file

    network = TinyNetwork(True, proposing="proposals" in parts, naming="kinds" in parts)
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(state, str(tmp_path / "weights.safetensors"))
    loaded = load_tiny(tmp_path / "weights.safetensors").network
    assert (loaded.proposals is not None) == ("proposals" in parts)
    assert (loaded.kinds is not None) == ("kinds" in parts)
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, state[name].float())
