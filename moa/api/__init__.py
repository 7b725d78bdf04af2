"""HTTP around the page: guards, security headers, the turn and health routes, static files."""
