"""Files that are malformed, lie or want to harm, for every kind of upload, and what they meet.

`corpus` collects them, `uploads` does with each what the app would do, and `runner` has that done
in processes of its own, so that a crash or an overrun is one failed case and not the end.
"""
