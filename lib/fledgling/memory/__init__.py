"""Memory in tiers, and what goes on with it while nobody is talking.

Read ``corrections`` (the instant tier: right answers into the next prompt, until weights hold
them), ``tiers`` (what each tier costs), ``consolidation`` (the idle schedule), ``routing`` (an STDP
router in one file) with ``routers`` (what it is held against) and ``drift`` (on what), then
``introspection`` (a read-only server). ``experiments`` yields what notebook 07 draws.
"""
