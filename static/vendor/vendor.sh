#!/bin/sh
# Makes everything in this folder again from the npm packages named below. Needs node and npm.
# Run it from any folder; it writes only beside itself.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cd "$build"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts \
    marked@18.2.1 dompurify@3.4.18 katex@0.19.1 highlight.js@11.12.0 esbuild@0.28.2
node node_modules/esbuild/install.js
bundle() { node_modules/.bin/esbuild "$1" --bundle --format=esm --minify --target=es2022 --legal-comments=inline --outfile="$2"; }

mkdir -p "$here/marked-18.2.1" "$here/dompurify-3.4.18" "$here/katex-0.19.1/fonts" "$here/highlight-11.12.0"
bundle node_modules/marked/lib/marked.esm.js "$here/marked-18.2.1/marked.js"
cp node_modules/marked/LICENSE "$here/marked-18.2.1/LICENSE"
bundle node_modules/dompurify/dist/purify.es.mjs "$here/dompurify-3.4.18/purify.js"
cp node_modules/dompurify/LICENSE "$here/dompurify-3.4.18/LICENSE"
bundle node_modules/katex/dist/katex.mjs "$here/katex-0.19.1/katex.js"
# woff2 alone: every browser that runs ES modules reads it
sed -E 's/,url\([^)]*\.(woff|ttf)\) format\("[a-z]+"\)//g' node_modules/katex/dist/katex.min.css >"$here/katex-0.19.1/katex.css"
cp node_modules/katex/dist/fonts/*.woff2 "$here/katex-0.19.1/fonts/"
cp node_modules/katex/LICENSE "$here/katex-0.19.1/LICENSE"
bundle node_modules/highlight.js/lib/common.js "$here/highlight-11.12.0/highlight.js"
cp node_modules/highlight.js/LICENSE "$here/highlight-11.12.0/LICENSE"
