"""The score service: FastAPI, `/api/v1`. A route reads, calls one thing, renders."""
