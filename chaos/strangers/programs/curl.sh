#!/bin/sh
# The events of a reply, as they come. -N: do not hold them back.
curl -sN "$ANTHROPIC_BASE_URL/v1/messages" \
  -H "x-api-key: $ANTHROPIC_API_KEY" \
  -H "anthropic-version: 2023-06-01" \
  -H "content-type: application/json" \
  -d '{"model": "claude-opus-5", "max_tokens": 4096, "stream": true,
       "messages": [{"role": "user", "content": "Tell me about tides."}]}' "$@"
