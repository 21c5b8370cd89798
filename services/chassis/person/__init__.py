"""The page of the person herself, or of who represents her: see ADR 30.

`codes` hands over a code that opens it once, `visits` keeps who looks, `uses` says who was told
what, `agreed` what she agreed to and how that ends, `site` serves it all under ``/person``.
"""
