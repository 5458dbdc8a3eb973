"""English words that carry a sentence along rather than carry what it says."""

_FUNCTION_WORDS = """
    a an the is are was were be been am do does did has have had will would can could shall should
    may might must of in on at to for from by with about into over under and or but not no nor so
    than that this these those it its i you he she we they me him her us them my your his our
    their mine yours as if then there here what which who whom whose when where why how got yes
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
