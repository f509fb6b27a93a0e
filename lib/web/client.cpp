// SPDX-License-Identifier: Apache-2.0
#include "web/client.hpp"

#include "dicom/file.hpp"
#include "web/model.hpp"
#include "web/multipart.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <random>
#include <vector>

namespace waybill::web {

namespace {

using Kind = net::PeerError::Kind;

constexpr std::size_t kPage = 1000;
constexpr std::size_t kMostPages = 100'000;
constexpr std::size_t kMostOfPage = std::size_t{256} << 20U;
constexpr std::size_t kMostOfStoreAnswer = std::size_t{16} << 20U;

constexpr const char* kJson = "Accept: application/dicom+json";
constexpr std::string_view kSopInstance = "00080018", kStudy = "0020000D";

std::string random_boundary() {
  thread_local std::mt19937_64 chance{std::random_device{}()};
  Bytes bytes;
  for (int i = 0; i < 3; ++i) put_u64(bytes, chance());
  return "waybill-" + to_hex(bytes);
}

bool is_plain(const Response& response) {
  return response.content_encoding.empty() || response.content_encoding == "identity";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_') {
      out += static_cast<char>(c);
    } else {
      const std::byte byte{c};
      out += "%" + to_hex({&byte, 1});
    }
  }
  return out == "." || out == ".." ? "" : out;
}

Client::Client(const Endpoint& endpoint, const net::Timeouts& timeouts)
    : endpoint_(endpoint), connection_(endpoint, timeouts) {}

void Client::lose(const std::string& why) const {
  throw net::PeerError(Kind::unreachable, "the connection with " + endpoint_.url() + " was lost: " + why);
}

void Client::check() {
  std::string body;
  try {
    const Request request{Request::Method::get, "/studies?StudyInstanceUID=2.25.0&limit=1", {kJson}, {}, {}};
    const Response response = connection_.exchange(request, body, kMostOfPage);
    check_answer(endpoint_, response, "QIDO-RS");
    if (response.status >= 500)
      throw net::PeerError(Kind::refused, endpoint_.url() + " answered QIDO-RS with " +
                                              std::to_string(response.status) + "; have its log looked at");
  } catch (const Lost& lost) {
    lose(lost.what());
  }
}

StoreAnswer Client::store(std::span<const Part> parts) {
  const std::string boundary = random_boundary();
  const std::string between = "\r\n--" + boundary + "\r\nContent-Type: application/dicom\r\n\r\n";
  const std::string end = "\r\n--" + boundary + "--\r\n";
  std::vector<ByteView> body;
  for (const Part& part : parts) {
    body.push_back(as_bytes(body.empty() ? std::string_view(between).substr(2) : between));
    body.push_back(part.head);
    body.push_back(part.rest);
  }
  body.push_back(as_bytes(end));
  Request request{Request::Method::post, "/studies", {}, body, {}};
  request.headers = {"Content-Type: multipart/related; type=\"application/dicom\"; boundary=" + boundary, kJson};
  request.answer_within = std::chrono::seconds(1) * static_cast<int>(parts.size() / 2);
  std::string text;
  Response response = connection_.exchange(request, text, kMostOfStoreAnswer);
  return parse_store_answer(std::move(response), text);
}

/// The answers to one question; nullopt when the service knows no such resource.
std::optional<std::vector<Item>> Client::ask(const std::string& path) {
  std::string body;
  Response response;
  try {
    response = connection_.exchange({Request::Method::get, path, {kJson}, {}, {}}, body, kMostOfPage);
  } catch (const Lost& lost) {
    lose(lost.what());
  }
  if (response.status == 204) return std::vector<Item>();
  if (response.status == 404) return std::nullopt;
  check_answer(endpoint_, response, "QIDO-RS");
  if (response.status != 200)
    throw Failed(response.status >= 500 ? Kind::unreachable : Kind::refused,
                 endpoint_.url() + " answered QIDO-RS with " + std::to_string(response.status));
  auto items = is_plain(response) ? parse_json(body) : Result<std::vector<Item>>(Failure{Fault::malformed, ""});
  if (!items) {
    throw net::PeerError(Kind::refused, endpoint_.url() +
                                            " answered QIDO-RS with something that is not the DICOM JSON "
                                            "Model; check that the address is that of its DICOMweb service");
  }
  return *std::move(items);
}

/// One page; nullopt when the service knows no such resource.
std::optional<Client::Page> Client::find_page(const std::string& path, const std::string& study) {
  const auto items = ask(path);
  if (!items) return std::nullopt;
  Page page{items->size(), {}};
  for (const Item& item : *items) {
    const std::string of = item.value(kStudy);
    if (!of.empty() && of != study) continue;  // a service that does not look at every key
    if (std::string uid = item.value(kSopInstance); !uid.empty()) page.uids.insert(std::move(uid));
  }
  return page;
}

/// A service may give less than it is asked for (PS3.18 8.3.4.4), so that only an empty page is the last. The order
/// need not be stable: what is new counts. nullopt when the service knows no such resource.
std::optional<std::set<std::string>> Client::find(const std::string& resource, const std::string& study) {
  std::set<std::string> all;
  std::size_t offset = 0;
  for (std::size_t page = 0; page < kMostPages; ++page) {
    auto found = find_page(resource + "limit=" + std::to_string(kPage) + "&offset=" + std::to_string(offset), study);
    if (!found) return page == 0 ? std::nullopt : std::optional(std::move(all));
    const std::size_t before = all.size();
    offset += found->items;
    all.merge(found->uids);
    if (all.size() == before) return all;
  }
  throw net::PeerError(Kind::refused, endpoint_.url() + " gives QIDO-RS answers without end");
}

/// 404 is what some say of a study they do not have, others of a service that they lack: a question to the whole
/// archive tells them apart.
std::set<std::string> Client::find_below(const std::string& study, const std::string& below, const std::string& keys,
                                         const std::string& only) {
  auto found = find("/studies/" + escaped(study) + below + "/instances?" + only, study);
  if (!found) found = find("/instances?StudyInstanceUID=" + escaped(study) + "&" + keys + only, study);
  if (!found) check_answer(endpoint_, {404, {}, {}, {}, {}, {}}, "QIDO-RS");
  return *std::move(found);
}

std::set<std::string> Client::find_study(const std::string& study) { return find_below(study, "", "", ""); }

std::set<std::string> Client::find_instances(const std::string& study, const std::string& series,
                                             const std::string& instance) {
  const std::string only = instance.empty() ? "" : "SOPInstanceUID=" + escaped(instance) + "&";
  return find_below(study, "/series/" + escaped(series), "SeriesInstanceUID=" + escaped(series) + "&", only);
}

std::optional<std::uint64_t> Client::count_instances(const std::string& study) {
  const auto items = ask("/studies?StudyInstanceUID=" + escaped(study) + "&includefield=00201208");
  if (!items || items->size() != 1 || items->front().value(kStudy) != study) return std::nullopt;
  const std::string text = items->front().value("00201208");
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(count) : std::nullopt;
}

net::GetResult Client::get(const std::string& study, const Receive& receive, std::uint64_t cap) {
  return retrieve("/studies/" + escaped(study), receive, cap);
}

net::GetResult Client::get_instance(const std::string& study, const std::string& series, const std::string& instance,
                                    const Receive& receive, std::uint64_t cap) {
  return retrieve("/studies/" + escaped(study) + "/series/" + escaped(series) + "/instances/" + escaped(instance),
                  receive, cap);
}

net::GetResult Client::retrieve(const std::string& path, const Receive& receive, std::uint64_t cap) {
  net::GetResult result;
  const auto take = [&](io::Scratch memory, ByteView file) {
    const auto meta = dicom::read_meta(file);
    if (!meta) {
      ++result.failed;
      return;
    }
    ++result.completed;
    receive({meta->sop_class, meta->sop_instance, meta->transfer_syntax, std::move(memory),
             file.subspan(meta->dataset_offset)});
  };
  std::optional<MultipartReader> parts;
  std::optional<Failure> failure;
  Bytes whole;  // a service that gives one object without the multipart around it
  const auto sink = [&](const Response& response, ByteView bytes) {
    if (response.status < 200 || response.status > 206) return true;  // the text of an error
    if (!is_plain(response)) failure = Failure{Fault::unsupported, "it is compressed, which was not asked for"};
    if (!failure && response.content_type.starts_with("application/dicom") &&
        !response.content_type.starts_with("application/dicom+")) {
      if (whole.size() + bytes.size() > cap) failure = Failure{Fault::limit, "it is larger than is read"};
      if (!failure) put_bytes(whole, bytes);
      return !failure;
    }
    if (!failure && !parts) {
      const auto boundary = boundary_of(response.content_type);
      boundary ? (void)parts.emplace(*boundary, cap, take) : (void)(failure = boundary.error());
    }
    if (failure) return false;
    if (const auto taken = parts->take(bytes); !taken) failure = taken.error();
    return !failure;
  };
  Response response;
  try {
    const Request request{Request::Method::get,
                          path,
                          {"Accept: multipart/related; type=\"application/dicom\"; transfer-syntax=*"},
                          {},
                          {}};
    response = connection_.exchange(request, sink);
    if (parts && !parts->ended()) lose("the answer ended in the middle");
  } catch (const Lost& lost) {
    if (!failure) lose(lost.what());
    throw net::PeerError(Kind::refused,
                         "the answer of " + endpoint_.url() + " to WADO-RS cannot be read: " + failure->what);
  }
  result.status = static_cast<std::uint16_t>(response.status);
  if (response.status == 404 || response.status == 410) return result;
  check_answer(endpoint_, response, "WADO-RS");
  if (response.status >= 400)
    throw Failed(response.status >= 500 ? Kind::unreachable : Kind::refused,
                 endpoint_.url() + " answered WADO-RS with " + std::to_string(response.status));
  if (!whole.empty()) take({}, whole);
  return result;
}

}  // namespace waybill::web
