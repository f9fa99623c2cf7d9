from .files import report_html, results_csv, results_json
from .scene import scene_report
from .sentences import abstract, warnings

__all__ = [
    "abstract",
    "report_html",
    "results_csv",
    "results_json",
    "scene_report",
    "warnings",
]
