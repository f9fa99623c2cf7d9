from .catalog import LESSONS, lesson
from .lesson import Check, Lesson, Plan, Step, Task
from .subject import Subject, subject_of_scene, subject_of_town, town_subject

__all__ = [
    "LESSONS",
    "Check",
    "Lesson",
    "Plan",
    "Step",
    "Subject",
    "Task",
    "lesson",
    "subject_of_scene",
    "subject_of_town",
    "town_subject",
]
