// Prints the events of a reply as they come: java Tides.java
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class Tides {
    public static void main(String[] args) throws Exception {
        String body = """
            {"model": "claude-opus-5", "max_tokens": 4096, "stream": true,
             "messages": [{"role": "user", "content": "Tell me about tides."}]}""";
        HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("ANTHROPIC_BASE_URL") + "/v1/messages"))
            .version(HttpClient.Version.HTTP_1_1)
            .header("x-api-key", System.getenv("ANTHROPIC_API_KEY"))
            .header("anthropic-version", "2023-06-01")
            .header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofLines());
        if (response.statusCode() != 200) throw new IllegalStateException("status " + response.statusCode());
        response.body().forEach(System.out::println); // it throws where the body breaks
    }
}
