// SPDX-License-Identifier: Apache-2.0
#include "probe/web.hpp"

#include "commit/ledger.hpp"
#include "core/stop.hpp"
#include "dicom/file.hpp"
#include "probe/echo.hpp"
#include "web/client.hpp"
#include "web/multipart.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace waybill::probe {

namespace {

constexpr std::size_t kMostOfList = std::size_t{64} << 20U, kMostOfObject = std::size_t{64} << 20U;
constexpr const char* kJson = "application/dicom+json";
constexpr std::string_view kStudy = "0020000D", kInstance = "00080018", kInstances = "00201208";

/// Forms of lists, and transfer syntaxes of objects, that are asked for.
constexpr std::array kForms{kJson, "application/json", "multipart/related; type=\"application/dicom+xml\""};
constexpr std::array kSyntaxes{"*",
                               "1.2.840.10008.1.2.1",
                               "1.2.840.10008.1.2.4.70",
                               "1.2.840.10008.1.2.4.80",
                               "1.2.840.10008.1.2.4.90",
                               "1.2.840.10008.1.2.4.201"};

struct Optional {
  std::string_view tag;
  const char* name;
};
constexpr std::array kOptional{Optional{"00080056", "InstanceAvailability"}, Optional{"00080061", "ModalitiesInStudy"},
                               Optional{"00201206", "NumberOfStudyRelatedSeries"},
                               Optional{kInstances, "NumberOfStudyRelatedInstances"}};

/// What came of one question.
struct Reply {
  web::Response response;
  std::string body;
  std::vector<web::Item> items;  ///< of a list in JSON
};

/// One connection that is asked.
class Asker {
 public:
  explicit Asker(const Options& options)
      : endpoint_(std::get<web::Endpoint>(options.peer)), connection_(endpoint_, options.timeouts) {}

  /// Throws net::PeerError when the connection breaks; what the service says is in the reply.
  [[nodiscard]] Reply get(const std::string& path, const std::string& accept, std::size_t most = kMostOfList) {
    Reply reply;
    try {
      reply.response =
          connection_.exchange({web::Request::Method::get, path, {"Accept: " + accept}, {}, {}}, reply.body, most);
    } catch (const web::Lost& lost) {
      throw net::PeerError(net::PeerError::Kind::unreachable,
                           "the connection with " + endpoint_.url() + " was lost: " + lost.what());
    }
    return reply;
  }
  [[nodiscard]] Reply list(const std::string& path) {
    Reply reply = get(path, kJson);
    if (reply.response.status != 200) return reply;
    if (auto items = web::parse_json(reply.body)) reply.items = *std::move(items);
    return reply;
  }

 private:
  const web::Endpoint& endpoint_;
  web::Connection connection_;
};

std::set<std::string> studies_in(const Reply& reply) {
  std::set<std::string> uids;
  for (const web::Item& item : reply.items) uids.insert(item.value(kStudy));
  return uids;
}

std::string page(const std::string& resource, std::size_t limit, std::size_t offset) {
  return resource + (resource.find('?') == std::string::npos ? "?" : "&") + "limit=" + std::to_string(limit) +
         (offset > 0 ? "&offset=" + std::to_string(offset) : "");
}

/// Pages of one study that must be different ones, then a large page: where another follows, it was cut.
void ask_pages(Asker& asker, std::size_t most, Lists& lists, Reply& large) {
  const Reply first = asker.list(page("/studies", 1, 0)), second = asker.list(page("/studies", 1, 1));
  const bool two = !first.items.empty() && !second.items.empty();
  if (first.items.size() > 1 || second.items.size() > 1) lists.honours_paging = false;
  if (two && !lists.honours_paging) {  // a study of two patients is listed twice, and rightly so
    const Reply third = asker.list(page("/studies", 1, 2));
    const bool differ = studies_in(first) != studies_in(second) || studies_in(first) != studies_in(third);
    if (differ || !third.items.empty()) lists.honours_paging = differ;
  }
  std::string keys;
  for (const Optional& key : kOptional) keys += "&includefield=" + std::string(key.tag);
  large = asker.list(page("/studies", most, 0) + keys);
  lists.asked = most;
  lists.listed = large.items.size();
  lists.status = std::to_string(large.response.status);
  lists.warning = said(large.response.warning);
  const bool may_be_cut = lists.listed > 0 && lists.listed < most && lists.honours_paging != std::optional(false);
  if (!may_be_cut) return;
  const Reply behind = asker.list(page("/studies", 1, lists.listed));
  const auto known = studies_in(large), more = studies_in(behind);
  if (!std::ranges::includes(known, more)) lists.limit = lists.listed;
}

std::size_t count_of(const web::Item& study) {
  const std::string text = study.value(kInstances);
  std::size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

/// The smallest study that has something: whether its number is that of its list, and whether an object of it is found
/// by its UID alone.
void look_into_one(Asker& asker, std::size_t most, const Reply& large, Lists& lists) {
  const web::Item* smallest = nullptr;
  std::map<std::string, int> times;
  for (const web::Item& study : large.items) ++times[study.value(kStudy)];
  for (const web::Item& study : large.items) {
    if (study.value(kStudy).empty() || times[study.value(kStudy)] > 1) continue;  // nameless, or of two patients
    const bool less = smallest == nullptr || (count_of(study) > 0 && count_of(study) < count_of(*smallest));
    if (less) smallest = &study;
  }
  if (smallest == nullptr) return;
  const std::string path = "/studies/" + web::escaped(smallest->value(kStudy));
  const Reply instances = asker.list(page(path + "/instances", most, 0));
  if (instances.items.empty()) return;
  const std::size_t count = instances.items.size();
  if (count_of(*smallest) > 0 && count < most && (!lists.limit || count < *lists.limit))
    lists.counts_right = count == count_of(*smallest);
  const web::Item& one = instances.items.front();
  const Reply alone = asker.list("/instances?SOPInstanceUID=" + web::escaped(one.value(kInstance)) + "&limit=2");
  lists.relational = alone.items.size() == 1 && alone.items.front().value(kInstance) == one.value(kInstance);
}

/// The transfer syntax of the first object in an answer of WADO-RS; its content type when there is none.
std::string came_in(const Reply& reply) {
  std::string syntax;
  const auto take = [&](io::Scratch, ByteView file) {
    const auto meta = dicom::read_meta(file);
    if (meta && syntax.empty()) syntax = meta->transfer_syntax;
  };
  if (const auto boundary = web::boundary_of(reply.response.content_type)) {
    web::MultipartReader parts(*boundary, kMostOfObject, take);
    (void)parts.take(as_bytes(reply.body));
  } else {
    take({}, as_bytes(reply.body));
  }
  return said(syntax.empty() ? reply.response.content_type : syntax);
}

}  // namespace

void ask_retrieval(const Options& options, const Made& made, Profile& profile) {
  Asker asker(options);
  const std::string object = "/studies/" + made.study + "/series/" + made.series + "/instances/" + made.instance;
  for (const char* syntax : kSyntaxes) {
    if (stop_requested()) return;
    const std::string accept = "multipart/related; type=\"application/dicom\"; transfer-syntax=" + std::string(syntax);
    const Reply reply = asker.get(object, accept, kMostOfObject);
    profile.forms.push_back({"WADO-RS", syntax, reply.response.status, came_in(reply)});
  }
}

void ask_web(const Options& options, Profile& profile) {
  web::Client client(std::get<web::Endpoint>(options.peer), options.timeouts);
  profile.echo = time_of("QIDO-RS", [&] { client.check(); });
  Asker asker(options);
  Lists& lists = profile.lists.emplace();
  lists.service = "QIDO-RS";
  try {
    const Reply nothing = asker.list("/studies?StudyInstanceUID=" + commit::new_transaction() + "&limit=2");
    lists.status = std::to_string(nothing.response.status);
    lists.honours_uid = nothing.items.empty();
    if (options.most_listed > 0) {
      Reply large;
      ask_pages(asker, options.most_listed, lists, large);
      for (const Optional& key : kOptional) {
        if (large.items.empty()) break;
        lists.keys[key.name] =
            std::ranges::any_of(large.items, [&](const auto& one) { return !one.value(key.tag).empty(); });
      }
      look_into_one(asker, options.most_listed, large, lists);
    }
    for (const char* form : kForms) {
      const Reply reply = asker.get(page("/studies", 1, 0), form);
      profile.forms.push_back({"QIDO-RS", form, reply.response.status, said(reply.response.content_type)});
    }
  } catch (const net::PeerError& error) {
    profile.troubles.push_back({"lists", reason_of(error)});
  }
}

AtOnce web_at_once(const Options& options) {
  AtOnce out{options.at_once, 0, ""};
  std::vector<web::Client> open;
  try {
    while (out.opened < out.asked && !stop_requested()) {
      open.emplace_back(std::get<web::Endpoint>(options.peer), options.timeouts).check();
      ++out.opened;
    }
  } catch (const net::PeerError& error) {
    out.why = reason_of(error);
  }
  return out;
}

}  // namespace waybill::probe
