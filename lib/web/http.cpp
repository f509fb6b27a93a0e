// SPDX-License-Identifier: Apache-2.0
#include "web/http.hpp"

#include "core/text.hpp"
#include "net/tls.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>

namespace waybill::web {

namespace {

using Clock = std::chrono::steady_clock;
constexpr double kLeastRate = 100;                      // bytes a second
constexpr std::chrono::milliseconds kShortOfIdle{300};  // a connection that is about to be closed is not used again
constexpr std::chrono::hours kLongestRetryAfter{1};
constexpr std::size_t kLongestHeader = 8192;
constexpr std::size_t kMostOfHeaders = std::size_t{256} << 10U;  // libcurl has no bound of its own

std::atomic<std::uint64_t> g_connections{0};

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::signal(SIGPIPE, SIG_IGN);
    if (::curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw RunError(Exit::internal, "libcurl cannot be set up");
  });
}

struct FreeHandle {
  void operator()(CURL* handle) const noexcept { ::curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { ::curl_slist_free_all(list); }
};

bool is_named(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::optional<long> number_of(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end != text.data() && value >= 0 ? std::optional(value) : std::nullopt;
}

/// Retry-After (RFC 9110 10.2.3): seconds or a date.
std::chrono::milliseconds retry_after_of(const std::string& text) {
  std::chrono::milliseconds wait{0};
  if (const auto seconds = number_of(text)) {
    wait = std::chrono::seconds(std::min(*seconds, 86400L));
  } else if (const std::time_t date = ::curl_getdate(text.c_str(), nullptr); date > 0) {
    wait = std::chrono::seconds(std::max<std::time_t>(0, date - std::time(nullptr)));
  }
  return std::min<std::chrono::milliseconds>(wait, kLongestRetryAfter);
}

}  // namespace

struct Connection::State {
  Endpoint endpoint;
  net::Timeouts timeouts;
  std::unique_ptr<CURL, FreeHandle> handle;
  std::uint64_t number = 0;
  Clock::time_point last_use{};
  std::chrono::milliseconds keep_alive{std::chrono::seconds(15)};  // unless the service says how long
  char error[CURL_ERROR_SIZE] = {};

  // Of the exchange under way.
  const Request* request = nullptr;
  const Sink* sink = nullptr;
  Response response;
  std::size_t piece = 0, offset = 0;  // of the body, what is read next
  std::uint64_t body_size = 0;
  std::size_t header_bytes = 0;
  std::exception_ptr thrown;
  const char* ended = nullptr;  // why we ended it
  Clock::time_point window_begin, uploaded;
  curl_off_t window_bytes = 0;
  bool is_uploaded = false, looked_at_certificate = false;

  template <typename T>
  void set(CURLoption option, T value) {
    if (::curl_easy_setopt(handle.get(), option, value) != CURLE_OK)
      throw RunError(Exit::internal, "libcurl lacks option " + std::to_string(option) + "; it is too old");
  }

  void set_up();
  void begin(const Request& what, const Sink& to);
  [[noreturn]] void fail(CURLcode code);
  void take_header(std::string_view line);
  [[nodiscard]] bool stalls(curl_off_t moved);

  static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
  static std::size_t on_write(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up);
  static CURLcode on_tls(CURL*, void* context, void* self);
};

std::size_t Connection::State::on_read(char* into, std::size_t size, std::size_t count, void* self) {
  auto& state = *static_cast<State*>(self);
  const auto pieces = state.request->body;
  std::size_t left = size * count, written = 0;
  while (left > 0 && state.piece < pieces.size()) {
    const ByteView rest = pieces[state.piece].subspan(state.offset);
    const std::size_t part = std::min(left, rest.size());
    if (part > 0) std::memcpy(into + written, rest.data(), part);  // an empty piece may have no address
    written += part;
    left -= part;
    state.offset += part;
    if (part < rest.size()) break;
    ++state.piece;
    state.offset = 0;
  }
  return written;
}

std::size_t Connection::State::on_write(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& state = *static_cast<State*>(self);
  try {
    if ((*state.sink)(state.response, as_bytes({bytes, size * count}))) return size * count;
    state.ended = "its answer is larger than is read";
  } catch (...) {
    state.thrown = std::current_exception();
  }
  return CURL_WRITEFUNC_ERROR;
}

std::size_t Connection::State::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& state = *static_cast<State*>(self);
  state.header_bytes += size * count;
  if (state.header_bytes > kMostOfHeaders) {
    state.ended = "the headers of its answer do not end";
    return CURL_WRITEFUNC_ERROR;
  }
  try {
    state.take_header(std::string_view(bytes, std::min(size * count, kLongestHeader)));
  } catch (...) {
    state.thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
  return size * count;
}

void Connection::State::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // the head of a final answer follows that of an interim one
    response = {};
    const std::size_t space = std::min(line.find(' '), line.size() - 1);
    response.status = static_cast<int>(number_of(line.substr(space + 1)).value_or(0));
    if (endpoint.tls && !looked_at_certificate) {
      curl_tlssessioninfo* session = nullptr;
      if (::curl_easy_getinfo(handle.get(), CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK &&
          session->internals != nullptr)
        endpoint.tls->look_at(static_cast<const ssl_st*>(session->internals), endpoint.url());
      looked_at_certificate = true;
    }
    return;
  }
  const std::string value(trim(line.substr(std::min(line.find(':'), line.size() - 1) + 1)));
  const auto clean = [&] { return std::string(trim(std::string_view(value).substr(0, value.find_first_of("\r\n")))); };
  if (is_named(line, "Content-Type")) response.content_type = clean();
  if (is_named(line, "Content-Encoding")) response.content_encoding = clean();
  if (is_named(line, "Location")) response.location = clean();
  if (is_named(line, "Warning")) response.warning = clean();
  if (is_named(line, "Retry-After")) response.retry_after = retry_after_of(clean());
  if (is_named(line, "Keep-Alive")) {
    const std::size_t at = value.find("timeout=");
    const auto seconds = at == std::string::npos ? std::nullopt : number_of(std::string_view(value).substr(at + 8));
    if (seconds) keep_alive = std::chrono::seconds(std::min(*seconds, 3600L));
  }
}

/// Whether too little moves. While the service has the whole request and says nothing, it may take its time.
bool Connection::State::stalls(curl_off_t moved) {
  const auto now = Clock::now();
  const auto patience = timeouts.dimse;
  if (is_uploaded && moved == window_bytes) {
    const auto within = std::max<std::chrono::milliseconds>(patience, request->answer_within);
    return now - std::max(uploaded, window_begin) >= within;
  }
  if (now - window_begin < patience) return false;
  const double rate =
      static_cast<double>(moved - window_bytes) / std::chrono::duration<double>(now - window_begin).count();
  window_begin = now;
  window_bytes = moved;
  return rate < kLeastRate;
}

int Connection::State::on_progress(void* self, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
  auto& state = *static_cast<State*>(self);
  if (!state.is_uploaded && static_cast<std::uint64_t>(up) >= state.body_size) {
    state.is_uploaded = true;
    state.uploaded = Clock::now();
    state.window_begin = state.uploaded;
    state.window_bytes = up + down;
  }
  if (!state.stalls(up + down)) return 0;
  state.ended = "it neither answered nor moved on in time";
  return 1;
}

/// The profile of net::Tls instead of libcurl's own settings.
CURLcode Connection::State::on_tls(CURL*, void* context, void* self) {
  auto& state = *static_cast<State*>(self);
  try {
    state.endpoint.tls->apply(static_cast<ssl_ctx_st*>(context), state.endpoint.host);
    return CURLE_OK;
  } catch (...) {
    state.thrown = std::current_exception();
    return CURLE_SSL_CONNECT_ERROR;
  }
}

void Connection::State::set_up() {
  start_curl();
  handle.reset(::curl_easy_init());
  if (!handle) throw RunError(Exit::internal, "libcurl cannot be set up");
  set(CURLOPT_ERRORBUFFER, error);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, endpoint.secure ? "https" : "http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_BUFFERSIZE, 512L * 1024);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 1024L * 1024);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(timeouts.connect).count()));
  set(CURLOPT_USERAGENT, "waybill");
  set(CURLOPT_READFUNCTION, &State::on_read);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_WRITEFUNCTION, &State::on_write);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &State::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &State::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  // No seek function: libcurl may repeat a request on a new connection only while nothing of its body has left.
  if (endpoint.secure) {
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));  // apply() says whom we trust
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, endpoint.tls->options().server_name.empty() ? 2L : 0L);  // apply() checks either
    set(CURLOPT_SSL_CTX_FUNCTION, &State::on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
  }
  if (!endpoint.login) return;
  if (!endpoint.login->token.empty()) {
    set(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    set(CURLOPT_XOAUTH2_BEARER, endpoint.login->token.c_str());
  } else {
    set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    set(CURLOPT_USERNAME, endpoint.login->user.c_str());
    set(CURLOPT_PASSWORD, endpoint.login->password.c_str());
  }
}

void Connection::State::begin(const Request& what, const Sink& to) {
  request = &what;
  sink = &to;
  response = {};
  piece = offset = 0;
  body_size = header_bytes = 0;
  for (const ByteView part : what.body) body_size += part.size();
  thrown = nullptr;
  ended = nullptr;
  error[0] = '\0';
  window_begin = Clock::now();
  window_bytes = 0;
  is_uploaded = false;
  const bool idle_too_long = window_begin - last_use + kShortOfIdle >= keep_alive;
  set(CURLOPT_FRESH_CONNECT, idle_too_long ? 1L : 0L);
  set(CURLOPT_URL, (endpoint.url() + what.path).c_str());
  if (what.method == Request::Method::post) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_size));
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
}

/// Throws what a failure of libcurl means; nothing of the request may have left for a PeerError.
void Connection::State::fail(CURLcode code) {
  if (thrown) std::rethrow_exception(thrown);
  using Kind = net::PeerError::Kind;
  const std::string why = ended != nullptr ? ended : error[0] != '\0' ? error : ::curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      throw net::PeerError(Kind::unreachable, endpoint.url() + " cannot be reached: " + why +
                                                  "; check the address and that it is running");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
      throw net::PeerError(Kind::rejected_permanent, endpoint.url() + " does not agree on TLS: " + why +
                                                         "; check --tls-ca, --tls-name and its certificate, it must "
                                                         "speak TLS 1.2 or 1.3; nothing was sent");
    default: break;
  }
  double connected = 0;
  ::curl_easy_getinfo(handle.get(), CURLINFO_PRETRANSFER_TIME, &connected);
  if (connected <= 0)
    throw net::PeerError(Kind::unreachable, endpoint.url() + " cannot be reached: " + why + "; check the address");
  throw Lost(why);
}

Connection::Connection(const Endpoint& endpoint, const net::Timeouts& timeouts) : state_(std::make_unique<State>()) {
  state_->endpoint = endpoint;
  state_->timeouts = timeouts;
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

std::uint64_t Connection::number() const noexcept { return state_->number; }

void Connection::close() { state_->handle.reset(); }

Response Connection::exchange(const Request& request, const Sink& sink) {
  State& state = *state_;
  if (!state.handle) state.set_up();
  state.begin(request, sink);
  curl_slist* raw = ::curl_slist_append(nullptr, "Expect:");  // a server that ignores it would cost a second each time
  for (const std::string& header : request.headers) raw = ::curl_slist_append(raw, header.c_str());
  const std::unique_ptr<curl_slist, FreeList> headers(raw);
  state.set(CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = ::curl_easy_perform(state.handle.get());
  long opened = 0;
  ::curl_easy_getinfo(state.handle.get(), CURLINFO_NUM_CONNECTS, &opened);
  state.last_use = Clock::now();
  if (opened > 0 || state.number == 0) state.number = ++g_connections;
  if (code != CURLE_OK) {
    struct Drop {
      State& state;
      ~Drop() { state.handle.reset(); }
    } drop{state};
    state.fail(code);
  }
  return std::move(state.response);
}

Response Connection::exchange(const Request& request, std::string& body, std::size_t cap) {
  body.clear();
  return exchange(request, [&](const Response&, ByteView bytes) {
    if (body.size() + bytes.size() > cap) return false;
    body.append(as_text(bytes));
    return true;
  });
}

void check_answer(const Endpoint& endpoint, const Response& response, const std::string& service) {
  using Kind = net::PeerError::Kind;
  const std::string said = endpoint.url() + " answered " + service + " with " + std::to_string(response.status);
  switch (response.status) {
    case 401:
    case 403:
      throw net::PeerError(Kind::rejected_permanent,
                           said +
                               " (not authorised); check --http-login, --http-token or --tls-cert, and "
                               "what it allows us, then run the same command again");
    case 429:
    case 503: throw Busy(said + " (busy); run the same command again later", response.retry_after);
    case 404:
    case 405:
    case 406:
    case 410:
    case 501: throw net::PeerError(Kind::refused, said + ": there is no such service at this address; check its path");
    default: break;
  }
  if (response.status >= 300 && response.status < 400) {
    throw net::PeerError(Kind::refused,
                         said + " (moved); redirects are not followed, so name the address it is at now" +
                             (response.location.empty() ? "" : ", perhaps " + repair_utf8(response.location)));
  }
}

}  // namespace waybill::web
