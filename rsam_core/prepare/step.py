"""`Step`: one way to prepare an image, and what a form needs to know about its settings."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from rsam_core.errors import PrepareError
from rsam_core.prepare.raster import Raster
from rsam_core.runtime.given import given

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

Kind = Literal["number", "integer", "choice", "switch", "text", "points", "band", "image"]
Group = Literal["Radiometric", "Geometric", "Noise", "Resolution"]
GROUPS: tuple[Group, ...] = ("Radiometric", "Geometric", "Noise", "Resolution")
# Larger files are left out of a recipe, which then asks for them by name.
MAX_EMBEDDED_BYTES = 2_000_000


@dataclass(frozen=True)
class Parameter:
    """One setting of a step, enough to draw a form.

    Attributes
    ----------
    name : str
        Field of the step.
    title : str
        Label of the widget.
    kind : str
        "number" (float), "integer", "choice" (str), "switch" (bool), "text" (str), "points"
        (nested tuples of numbers, `()` while unset), "band" (name of a band, "" while unset) or
        "image" (`ImageFile`, None while unset).
    default : Any
    low, high : float or None
        Bounds of a number, inclusive; of "points", the least and most of them.
    step : float or None
        Step of the widget.
    choices : tuple of (str, str)
        For "choice": value and label.
    unit : str
        Shown after the title: "%", "px", "m", "°".
    help : str
        One sentence for a layman.
    """

    name: str
    title: str
    kind: Kind
    default: Any = None
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    help: str = ""

    def checked(self, value: Any) -> Any:
        """The value in its proper type.

        Raises
        ------
        PrepareError
            It is of another kind or out of bounds.
        """
        if self.kind in ("number", "integer"):
            return self._checked_number(value)
        if self.kind == "switch" and not isinstance(value, bool):
            raise PrepareError(f"“{self.title}” is on or off (true or false), not {given(value)}.")
        if self.kind == "choice" and value not in [key for key, _ in self.choices]:
            offered = ", ".join(f"“{key}”" for key, _ in self.choices)
            raise PrepareError(f"“{self.title}” cannot be {given(value)}. Choose one of {offered}.")
        if self.kind in ("band", "text") and not isinstance(value, str):
            raise PrepareError(f"“{self.title}” must be a text, not {given(value)}.")
        if self.kind == "image" and not isinstance(value, ImageFile | None):
            raise PrepareError(f"“{self.title}” must be an image file, not {given(value)}.")
        return self._checked_points(value) if self.kind == "points" else value

    def _checked_number(self, value: Any) -> float | int:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        # Not `isfinite`: whole numbers of 400 digits are too long for it.
        if not good or not -1e300 < value < 1e300:
            raise PrepareError(f"“{self.title}” must be a number, not {given(value)}.")
        if self.kind == "integer" and value != int(value):
            raise PrepareError(f"“{self.title}” must be a whole number, not {given(value)}.")
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if not low <= value <= high:
            raise PrepareError(
                f"“{self.title}” is {value:g}; it must lie between {low:g} and {high:g}."
            )
        return int(value) if self.kind == "integer" else float(value)

    def _checked_points(self, value: Any) -> tuple[tuple[float, ...], ...]:
        try:
            points = tuple(tuple(float(number) for number in point) for point in value)
        except (TypeError, ValueError, OverflowError) as error:
            raise PrepareError(f"“{self.title}” must be a list of points.") from error
        if not all(-1e300 < number < 1e300 for point in points for number in point):
            raise PrepareError(f"“{self.title}” holds a coordinate that is not a number.")
        return points


@dataclass(frozen=True)
class ImageFile:
    """A second image that a step needs: a reference, or a panchromatic band.

    Attributes
    ----------
    name : str
        File name.
    content : bytes or None
        The file; None when a recipe names it only.
    """

    name: str
    content: bytes | None = dataclasses.field(default=None, repr=False)

    def open(self) -> Scene:
        """Open the image.

        Raises
        ------
        PrepareError
            The recipe holds the file's name only.
        SceneError
            It is not a usable image.
        """
        from rsam_core.scene.scene import open_scene

        if self.content is None:
            raise PrepareError(
                f"The recipe uses the image “{self.name}”, which is too large to be part of it. "
                "Upload that image in the step's settings."
            )
        return open_scene(self.content, name=self.name)


class Step:
    """Base class of the steps: frozen dataclasses whose fields are the settings.

    Fields are declared with `number`, `integer`, `choice`, `switch`, `text`, `points`, `band` or
    `image`, which carry what the form needs; their values are checked when a step is made.

    Attributes
    ----------
    key : str
        Name in recipes; never changes.
    title : str
        Name for people.
    group : str
        One of `GROUPS`.
    help : str
        For a layman: what it does, when to use it.
    halo : int or None
        Pixels of context around a tile that a result depends on; None if it needs the whole
        image. A step with a halo keeps the size of the image.
    """

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    group: ClassVar[Group] = "Radiometric"
    help: ClassVar[str] = ""
    halo: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        for parameter in self.parameters():
            value = parameter.checked(getattr(self, parameter.name))
            object.__setattr__(self, parameter.name, value)

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """The settings in the order of the form."""
        return tuple(
            dataclasses.replace(field.metadata["parameter"], name=field.name)
            for field in dataclasses.fields(cls)
            if "parameter" in field.metadata
        )

    def window(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """What the step keeps of an image of that size (x, y, width, height), if it only cuts.

        As the first step of a list it then spares reading the rest of a large file.
        """
        return None

    def fit(self, sample: Raster) -> Any:
        """Statistics of the whole image, from a reduced sample of it; None if not needed.

        They are taken once, so that all tiles of a large image are treated alike.
        """
        return None

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """The prepared raster; the given one is not changed.

        Parameters
        ----------
        raster : Raster
            The image, a tile of it with its halo, or a reduced copy.
        fitted : Any
            What `fit` returned; None makes the step fit itself on `raster`.

        Raises
        ------
        PrepareError
            The settings do not suit this image.
        """
        raise NotImplementedError

    def summary(self) -> str:
        """The settings in a few words, as a list of steps shows them."""
        parts = []
        for parameter in self.parameters():
            value = getattr(self, parameter.name)
            if parameter.kind in ("number", "integer"):
                parts.append(f"{parameter.title.lower()} {value:g} {parameter.unit}".strip())
            elif parameter.kind == "choice":
                parts.append(dict(parameter.choices)[value])
            elif parameter.kind == "image" and value is not None:
                parts.append(value.name)
            elif parameter.kind in ("band", "text") and value:
                parts.append(value)
        return ", ".join(parts)

    def missing(self) -> str:
        """What is not set yet and keeps the step from having any effect; "" if nothing is."""
        for parameter in self.parameters():
            value = getattr(self, parameter.name)
            if parameter.kind == "image" and value is None:
                return f"Choose the {parameter.title.lower()}; until then this step does nothing."
            if parameter.kind == "points" and not value:
                return "Mark the points in the picture; until then this step does nothing."
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Settings as JSON can hold them."""
        return {p.name: _plain(getattr(self, p.name)) for p in self.parameters()}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Step:
        """Make a step from settings read from JSON; absent ones get their defaults.

        Raises
        ------
        PrepareError
            A setting is unknown or unusable.
        """
        known = {parameter.name: parameter for parameter in cls.parameters()}
        unknown = sorted(set(settings) - set(known))
        if unknown:
            raise PrepareError(f"The step “{cls.title}” has no setting “{unknown[0]}”.")
        values = dict(settings)
        for name, value in settings.items():
            if known[name].kind == "image" and value is not None:
                values[name] = _image_file(value, known[name].title)
        return cls(**values)


STEPS: dict[str, type[Step]] = {}
"""All steps by key, in the order of the menus; `rsam_core.prepare.load_steps` fills it."""

S = TypeVar("S", bound=type[Step])


def register(cls: S) -> S:
    """Class decorator: make a step known to recipes and menus.

    Raises
    ------
    ValueError
        The key is missing or taken, or the group is unknown: a mistake of the programmer.
    """
    if not cls.key or cls.group not in GROUPS:
        raise ValueError(f"{cls.__name__} needs a key and one of the groups {GROUPS}.")
    known = STEPS.get(cls.key)
    if known is not None and known.__qualname__ != cls.__qualname__:
        raise ValueError(f"The key {cls.key!r} of {cls.__name__} is taken.")
    STEPS[cls.key] = cls
    return cls


def number(
    title: str,
    default: float,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    unit: str = "",
    help: str = "",
) -> Any:
    """Field of a step: a decimal number."""
    return _field("number", title, float(default), low, high, step, unit=unit, help=help)


def integer(
    title: str,
    default: int,
    low: int | None = None,
    high: int | None = None,
    step: int = 1,
    unit: str = "",
    help: str = "",
) -> Any:
    """Field of a step: a whole number."""
    return _field("integer", title, default, low, high, step, unit=unit, help=help)


def choice(title: str, default: str, choices: Sequence[tuple[str, str]], help: str = "") -> Any:
    """Field of a step: one of several; `choices` are pairs of value and label."""
    return _field("choice", title, default, choices=tuple(choices), help=help)


def switch(title: str, default: bool = False, help: str = "") -> Any:
    """Field of a step: on or off."""
    return _field("switch", title, default, help=help)


def text(title: str, default: str = "", help: str = "") -> Any:
    """Field of a step: a line of text."""
    return _field("text", title, default, help=help)


def points(
    title: str,
    default: tuple[tuple[float, ...], ...] = (),
    low: int | None = None,
    high: int | None = None,
    help: str = "",
) -> Any:
    """Field of a step: points, each a tuple of numbers; `low` and `high` bound their count."""
    return _field("points", title, default, low, high, help=help)


def band(title: str, default: str = "", help: str = "") -> Any:
    """Field of a step: the name of a band of the image."""
    return _field("band", title, default, help=help)


def image(title: str, help: str = "") -> Any:
    """Field of a step: another image file."""
    return _field("image", title, None, help=help)


def _field(
    kind: Kind,
    title: str,
    default: Any,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    **more: Any,
) -> Any:
    parameter = Parameter("", title, kind, default, low, high, step, **more)
    return dataclasses.field(default=default, metadata={"parameter": parameter})


def _plain(value: Any) -> Any:
    if isinstance(value, ImageFile):
        plain: dict[str, Any] = {"name": value.name}
        if value.content is not None and len(value.content) <= MAX_EMBEDDED_BYTES:
            plain["content"] = base64.b64encode(value.content).decode("ascii")
        return plain
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _image_file(value: Any, title: str) -> ImageFile:
    """The image file that JSON holds as name and, if small, content."""
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise PrepareError(f"“{title}” must be an image file, not {given(value)}.")
    content = value.get("content")
    try:
        return ImageFile(value["name"], None if content is None else base64.b64decode(content))
    except (TypeError, ValueError, binascii.Error) as error:
        raise PrepareError(
            f"The image “{value['name']}” inside the recipe is damaged. Upload it again."
        ) from error
