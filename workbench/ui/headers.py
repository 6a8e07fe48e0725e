"""What every answer says to the browser: nothing from elsewhere, in no other page's frame, kept by nobody."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, request


def security_headers(server: Flask, hashes: Sequence[str]) -> None:
    """On every answer. `hashes` of the few inline scripts that Dash writes itself."""
    policy = "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(_quoted(each) for each in hashes)}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
    fixed = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    @server.after_request
    def added(response: Response) -> Response:
        response.headers.update(fixed)
        response.headers["Server"] = "ringroad"
        if not request.path.startswith(("/assets/", "/_dash-component-suites/", "/login/")):
            response.headers["Cache-Control"] = "no-store"
        if server.extensions["ringroad"][1].https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def _quoted(source: str) -> str:
    return source if source.startswith("'") else f"'{source}'"
