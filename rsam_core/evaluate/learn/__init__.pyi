from .attempt import Attempt
from .boards import Boards
from .catalog import LESSONS, lesson
from .exercise import Assignment, Exercise
from .handout import Handout, lesson_plan, overview, worksheet
from .lesson import Check, Lesson, Plan, Step, Task
from .result import Result
from .subject import Subject, subject_of_scene, subject_of_town, town_subject

__all__ = [
    "LESSONS",
    "Assignment",
    "Attempt",
    "Boards",
    "Check",
    "Exercise",
    "Handout",
    "Lesson",
    "Plan",
    "Result",
    "Step",
    "Subject",
    "Task",
    "lesson",
    "lesson_plan",
    "overview",
    "subject_of_scene",
    "subject_of_town",
    "town_subject",
    "worksheet",
]
