// SPDX-License-Identifier: Apache-2.0
#include "verify/source.hpp"

#include "transfer/bytes.hpp"
#include "transfer/peers.hpp"
#include "web/client.hpp"

#include <algorithm>
#include <mutex>
#include <type_traits>

namespace waybill::verify {

namespace {

/// An association or a DICOMweb client: they ask and get alike.
template <typename Connection>
class SessionOf : public Session {
 public:
  SessionOf(Connection& connection, const char* service) : connection_(connection), service_(service) {}
  [[nodiscard]] std::set<std::string> find_study(const std::string& study) override {
    return connection_.find_study(study);
  }
  [[nodiscard]] std::set<std::string> find_instance(const std::string& study, const std::string& series,
                                                    const std::string& instance) override {
    return connection_.find_instances(study, series, instance);
  }
  [[nodiscard]] std::optional<std::uint64_t> count_instances(const std::string& study) override {
    return connection_.count_instances(study);
  }
  net::GetResult get(const std::string& study, const Receive& receive) override {
    return connection_.get(study, receive);
  }
  net::GetResult get_instance(const std::string& study, const std::string& series, const std::string& instance,
                              const Receive& receive) override {
    return connection_.get_instance(study, series, instance, receive);
  }
  net::Association::Moved move(const std::array<std::string, 3>& uids, const std::string& destination,
                               const std::function<bool()>& go_on) override {
    if constexpr (std::is_same_v<Connection, net::Association>) return connection_.move(uids, destination, go_on);
    return {};
  }
  [[nodiscard]] const char* service() const override { return service_; }

 private:
  Connection& connection_;
  const char* service_;
};

/// Contexts to fetch a study: each class in the syntax it was sent in first, then in the two every peer can give.
std::vector<net::Context> contexts_of(const std::vector<manifest::Object>& objects, bool retrieves, Retrieve retrieve) {
  std::vector<net::Context> contexts = net::Association::find_contexts();
  if (!retrieves) return contexts;
  if (retrieve == Retrieve::move) {
    for (auto& context : net::Association::move_contexts()) contexts.push_back(std::move(context));
    return contexts;
  }
  for (auto& context : net::Association::get_contexts()) contexts.push_back(std::move(context));
  std::set<net::Context> sent, plain;
  for (const manifest::Object& object : objects) {
    if (!object.sop_class) continue;
    const std::string syntax = transfer::sent_syntax(object);
    if (!syntax.empty()) sent.insert({*object.sop_class, syntax, true});
    plain.insert({*object.sop_class, std::string(net::kExplicitLittle), true});
    plain.insert({*object.sop_class, std::string(net::kImplicitLittle), true});
  }
  contexts.insert(contexts.end(), sent.begin(), sent.end());
  std::ranges::set_difference(plain, sent, std::back_inserter(contexts));
  contexts.resize(std::min(contexts.size(), net::kMaxContexts));
  return contexts;
}

class DimseSource : public Source {
 public:
  DimseSource(const net::Peer& peer, const transfer::Options& options, Retrieve retrieve)
      : peers_(peer, options.calling, options.timeouts), retrieve_(retrieve) {}
  void check() override { peers_.check(); }
  void with_session(const std::string& study, const std::vector<manifest::Object>& objects, bool retrieves,
                    const std::function<void(Session&)>& work) override {
    net::Association association = peers_.acquire(contexts_of(objects, retrieves, retrieve_), study);
    SessionOf session(association, retrieve_ == Retrieve::move ? "C-MOVE" : "C-GET");
    work(session);
    peers_.give_back(std::move(association), study);
  }

 private:
  transfer::Peers peers_;
  const Retrieve retrieve_;
};

class WebSource : public Source {
 public:
  WebSource(const web::Endpoint& endpoint, const transfer::Options& options)
      : endpoint_(endpoint), timeouts_(options.timeouts) {}
  void check() override { web::Client(endpoint_, timeouts_).check(); }
  void with_session(const std::string&, const std::vector<manifest::Object>&, bool,
                    const std::function<void(Session&)>& work) override {
    auto client = take();
    SessionOf session(*client, "WADO-RS");
    work(session);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(client));
  }

 private:
  [[nodiscard]] std::unique_ptr<web::Client> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<web::Client>(endpoint_, timeouts_);
    auto client = std::move(idle_.back());
    idle_.pop_back();
    return client;
  }

  const web::Endpoint endpoint_;
  const net::Timeouts timeouts_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<web::Client>> idle_;
};

}  // namespace

std::unique_ptr<Source> make_source(const transfer::Address& address, const transfer::Options& options,
                                    Retrieve retrieve) {
  if (const auto* peer = std::get_if<net::Peer>(&address))
    return std::make_unique<DimseSource>(*peer, options, retrieve);
  return std::make_unique<WebSource>(std::get<web::Endpoint>(address), options);
}

}  // namespace waybill::verify
