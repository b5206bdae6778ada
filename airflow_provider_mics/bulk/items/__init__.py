"""Items: lines that are sent one by one, each with a call of its own.

A source (:mod:`.source`) gives the lines; a kind (:mod:`.kinds`) makes a call of each; the engine (:mod:`.engine`)
sends them side by side and settles each in the record (:mod:`.record`), which counts, puts aside what failed, and keeps
the progress (:mod:`.progress`), so that another try goes on where this one stopped.
"""
