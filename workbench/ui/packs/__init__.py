"""Packs of evidence as files: sections, drawing and seal, in the language that was asked for."""
