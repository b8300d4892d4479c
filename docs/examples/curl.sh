#!/bin/sh
# Stream an answer through the gateway.
curl --no-buffer --silent --show-error --fail-with-body \
  "${ANTHROPIC_BASE_URL:-http://127.0.0.1:8642}/v1/messages" \
  --header "x-api-key: $ANTHROPIC_API_KEY" \
  --header "anthropic-version: 2023-06-01" \
  --header "content-type: application/json" \
  --data '{
    "model": "claude-opus-5",
    "max_tokens": 4096,
    "stream": true,
    "messages": [{"role": "user", "content": "How do tides work?"}]
  }'
