"""Pages that people read in a browser, at every node: see ADR 25.

`rendering` fills templates, `site` serves them under ``/pages`` with their style sheet, `charts`
and `reviews` make the yearly review. A convention adds pages of its own by its side's `pages`.
"""
