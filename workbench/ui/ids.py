"""Every component id that more than one file names. Patterns are dicts with a `t` (type)."""

from __future__ import annotations

# The shell
URL, PAGE, TOAST, LANGUAGE = "url", "page", "toast", "language"
RELOAD = "reload"  # anything new in it loads the whole document anew: words are made on the server
SEARCH, SEARCH_ANSWERS = "search", "search-answers"
FIND_REQ = "find-req"  # {"text", "sequence"}: look for this
FIND_OPEN = "find-open"  # {"id": element id}: open the ring or application that holds it

# What the investigate page is about (dcc.Store each)
SUBJECT = "subject"  # {"kind": "ring", "name": "R…"}
AS_OF = "as-of"  # ISO time, or None for now
SELECTED = "selected"  # element ids of selected nodes, in the order of selection; written by the canvas
HIGHLIGHT = "highlight"  # {"nodes": [id], "edges": [[relation, source id, target id]]} to light, None for nothing
CHANGED = "changed"  # {"cause": text, "ts": millis}: labels, links or overrides moved: reload ring, panels, queue
FOCUS = "focus"  # {"id": element id, "ts": millis}: bring this node into view (adding it when it is not shown)
REVEAL = "reveal"  # {"type", "key", "masked", "ts"}: ask for this identifier in the clear (components/reveal.py)

# The slider over the canvas (components/as_of_bar.py)
AS_OF_STOPS = "as-of-stops"  # {"of": address, "at": [ISO], "said": [text], "short": [text], "now": text}
AS_OF_JUMP = "as-of-jump"  # {"to": "prev", "next", "now" or ISO, "said": text, "ts": millis}: asks for another time

# The canvas
CANVAS, EXPAND_REQ, DELTA, GRAPH_STATUS = "cy", "expand-req", "delta", "graph-status"
OPEN_REQ, OPENED = "open-req", "opened"  # which subject is to be read as of when, and what was read

# The queue
QUEUE = "queue"
QUEUE_ASKED = "queue-asked"  # what of `casebook.queue_query.Query` is not as it is at first
QUEUE_CHOSEN = "queue-chosen"  # {"seen": {case: newest entry}, "all": bool, "query": as QUEUE_ASKED, "count"}; None
QUEUE_CHANGED = "queue-changed"  # millis: somebody did something with cases: load the rows anew

# A case (on its own page, and as a tab of the investigate page)
CASE = "case"  # {"number": 1042, "seen": newest entry, "where": "page" or "panel"}; None where nothing is open
CASE_CHANGED = "case-changed"  # millis: somebody did something on the case, its parts load anew
