// Prints a reply as it is written: go run main.go
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

type event struct {
	Type  string
	Delta struct{ Text string }
	Error struct{ Message string }
}

func main() {
	body := `{"model": "claude-opus-5", "max_tokens": 4096, "stream": true,
		"messages": [{"role": "user", "content": "Tell me about tides."}]}`
	request, err := http.NewRequest("POST", os.Getenv("ANTHROPIC_BASE_URL")+"/v1/messages", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("x-api-key", os.Getenv("ANTHROPIC_API_KEY"))
	request.Header.Set("anthropic-version", "2023-06-01")
	request.Header.Set("content-type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		log.Fatal(response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "data:") {
			continue
		}
		var got event
		if err := json.Unmarshal([]byte(lines.Text()[5:]), &got); err != nil {
			log.Fatal(err)
		}
		switch got.Type {
		case "content_block_delta":
			fmt.Print(got.Delta.Text)
		case "error":
			log.Fatal(got.Error.Message)
		case "message_stop":
			return
		}
	}
	log.Fatal("the reply has no end: ", lines.Err())
}
