// SPDX-License-Identifier: Apache-2.0
#include "simpacs/commitment.hpp"

#include "core/text.hpp"
#include "dicom/rewrite.hpp"
#include "io/atomic_file.hpp"
#include "net/association.hpp"
#include "simpacs/caller.hpp"
#include "simpacs/node.hpp"

#include <charconv>
#include <fstream>

namespace waybill::simpacs {

namespace {

using dicom::tag;
using dicom::vr;
using std::chrono::system_clock;

constexpr std::uint16_t kEventReport = 0x0100;
constexpr std::uint16_t kEventType = 0x1002;
constexpr std::uint16_t kNoSuchInstance = 0x0112;
constexpr std::uint16_t kClassConflict = 0x0119;
constexpr auto kTick = std::chrono::milliseconds(50);
constexpr auto kAgain = std::chrono::seconds(2);
constexpr auto kPatience = std::chrono::seconds(5);  // a stop waits no longer than this

Bytes item_of(const Reference& reference, std::uint16_t reason, bool explicit_vr) {
  Bytes content = dicom::encode_element(tag(0x0008, 0x1150), vr("UI"), reference.sop_class, explicit_vr);
  put_bytes(content, dicom::encode_element(tag(0x0008, 0x1155), vr("UI"), reference.sop_instance, explicit_vr));
  if (reason != 0) {
    Bytes value;
    put_u16(value, reason);
    put_bytes(content, dicom::encode_element(tag(0x0008, 0x1197), vr("US"), as_text(value), explicit_vr));
  }
  Bytes out;
  put_u16(out, 0xFFFE);
  put_u16(out, 0xE000);
  put_u32(out, static_cast<std::uint32_t>(content.size()));
  put_bytes(out, content);
  return out;
}

/// Lines: transaction, AE title, due in milliseconds since 1970, then class and instance of each object.
std::string text_of(const Transaction& t) {
  const auto due = std::chrono::duration_cast<std::chrono::milliseconds>(t.due.time_since_epoch()).count();
  std::string text = t.uid + "\n" + t.calling + "\n" + std::to_string(due) + "\n";
  for (const Reference& r : t.references) text += r.sop_class + "\n" + r.sop_instance + "\n";
  return text;
}

Transaction transaction_from(const std::filesystem::path& file) {
  Transaction t;
  std::ifstream in(file);
  std::string due;
  std::getline(in, t.uid);
  std::getline(in, t.calling);
  std::getline(in, due);
  std::int64_t milliseconds = 0;
  (void)std::from_chars(due.data(), due.data() + due.size(), milliseconds);
  t.due = system_clock::time_point(std::chrono::milliseconds(milliseconds));
  for (Reference r; std::getline(in, r.sop_class) && std::getline(in, r.sop_instance);) t.references.push_back(r);
  t.file = file;
  return t;
}

}  // namespace

Committer::Committer(Node& node, std::filesystem::path folder) : node_(node), folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) io::throw_errno("make", folder_, error.value());
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() != ".txt") continue;
    pending_.push_back(transaction_from(entry.path()));
    const std::string stem = entry.path().stem().string();
    std::uint64_t number = 0;
    (void)std::from_chars(stem.data(), stem.data() + stem.size(), number);
    files_ = std::max(files_, number);
  }
  thread_ = std::thread([this] { run(); });
}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Committer::keep(Transaction& transaction) {
  transaction.file = folder_ / (std::to_string(++files_) + ".txt");
  io::AtomicFile file(transaction.file);
  file.write(as_bytes(text_of(transaction)));
  file.commit();
}

void Committer::add(Transaction transaction) {
  if (transaction.times == 0) return;
  const std::lock_guard lock(mutex_);
  keep(transaction);
  pending_.push_back(std::move(transaction));
}

std::optional<Transaction> Committer::take_for(std::uint64_t association, const std::string& calling) {
  const std::lock_guard lock(mutex_);
  for (auto it = pending_.begin(); it != pending_.end(); ++it) {
    if (it->due > system_clock::now() || it->new_association || goes_alone(*it)) continue;
    if (it->association != association && (it->association != 0 || it->calling != calling)) continue;
    Transaction taken = *it;
    if (--it->times == 0) {
      std::error_code ignored;
      std::filesystem::remove(it->file, ignored);
      pending_.erase(it);
    }
    return taken;
  }
  return std::nullopt;
}

void Committer::ended(std::uint64_t association) {
  const std::lock_guard lock(mutex_);
  for (Transaction& transaction : pending_) {
    if (transaction.association == association) transaction.association = 0;
  }
}

/// Whether the event needs no association of the peer's.
bool Committer::goes_alone(const Transaction& transaction) const {
  return (transaction.association == 0 || transaction.new_association) &&
         node_.scenario.peers.contains(transaction.calling);
}

net::Command Committer::event(const Transaction& transaction, bool explicit_vr, Bytes& dataset) const {
  Bytes failed, committed;
  const Rule* rule = transaction.rule;
  for (const Reference& reference : transaction.references) {
    if (rule != nullptr && node_.dice.falls(*rule, reference.sop_instance, rule->omit)) continue;
    const InstancePtr held = node_.shelf->find(reference.sop_instance);
    std::uint16_t reason = 0;
    if (!held) reason = kNoSuchInstance;
    if (held && held->sop_class != reference.sop_class) reason = kClassConflict;
    if (rule != nullptr && node_.dice.falls(*rule, reference.sop_instance, rule->fail)) reason = rule->failure;
    put_bytes(reason == 0 ? committed : failed, item_of(reference, reason, explicit_vr));
  }
  const std::string uid = transaction.uid + (rule != nullptr && rule->wrong_transaction ? ".9" : "");
  dataset = dicom::encode_element(tag(0x0008, 0x1195), vr("UI"), uid, explicit_vr);
  if (!failed.empty())
    put_bytes(dataset, dicom::encode_element(tag(0x0008, 0x1198), vr("SQ"), as_text(failed), explicit_vr));
  if (!committed.empty())
    put_bytes(dataset, dicom::encode_element(tag(0x0008, 0x1199), vr("SQ"), as_text(committed), explicit_vr));
  return net::Command::make(kEventReport, true)
      .set(net::field::kAffectedClass, kCommitmentClass)
      .set(net::field::kMessageId, std::uint16_t{1})
      .set(net::field::kAffectedInstance, kCommitmentInstance)
      .set(kEventType, static_cast<std::uint16_t>(failed.empty() ? 1 : 2));
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait_for(lock, kTick);
    for (auto it = pending_.begin(); it != pending_.end() && !stop_; ++it) {
      if (it->due > system_clock::now() || !goes_alone(*it)) continue;
      Transaction now = std::move(*it);
      pending_.erase(it);
      lock.unlock();
      deliver(std::move(now));
      lock.lock();
      break;
    }
  }
}

/// On an association of ours, in which we take the SCP role (PS3.4 J.3.3).
void Committer::deliver(Transaction transaction) {
  try {
    AssociateRequest request;
    request.calling = node_.scenario.title;
    request.called = transaction.calling;
    request.contexts = {{0, std::string(kCommitmentClass), {std::string(net::kImplicitLittle)}}};
    request.roles[std::string(kCommitmentClass)] = {false, true};
    Caller caller(node_.scenario.peers.at(transaction.calling), request, kPatience, node_.caller_tls.get());
    const std::uint8_t context = caller.context_of(kCommitmentClass, "");
    if (context == 0) throw Lost{"the peer does not grant storage commitment"};
    Bytes dataset;
    const net::Command command = event(transaction, false, dataset);
    while (transaction.times > 0) {
      const net::Command answer = caller.ask(context, command, dataset);
      --transaction.times;
      if (node_.journal) {
        node_.journal.write(Journal::line("commit-event", 0)
                                .member("transaction", transaction.uid)
                                .member("answer", answer.number(net::field::kStatus)));
      }
    }
    caller.release();
  } catch (const Lost& lost) {
    if (node_.journal)
      node_.journal.write(
          Journal::line("commit-event-lost", 0).member("transaction", transaction.uid).member("why", lost.why));
  }
  if (transaction.times == 0) {
    std::error_code ignored;
    std::filesystem::remove(transaction.file, ignored);
    return;
  }
  transaction.due = system_clock::now() + kAgain;
  const std::lock_guard lock(mutex_);
  pending_.push_back(std::move(transaction));
}

}  // namespace waybill::simpacs
