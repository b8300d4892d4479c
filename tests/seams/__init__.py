"""A corpus of texts, cut at many places, continued in every manner: is the join right?"""
