"""An open scene and everything that was done to it, without any page.

A `rsam_core.session.session.Session` holds eight small parts: the image, the marks and edits, what
answers them, the search for everything, what the canvas shows, the truth, what is kept against a
lost tab, and what was made from all these and need not be made again. Several threads may work on
one session at a time: a page that is run again while the last run still waits for the model is
enough. One lock guards the parts; what is slow is computed from a snapshot, without the lock, and
put in place only if nothing has changed meanwhile.
"""
