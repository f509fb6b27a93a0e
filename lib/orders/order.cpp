// SPDX-License-Identifier: Apache-2.0
#include "orders/order.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace waybill::orders {
namespace {

constexpr std::size_t kLongestAccession = 16;  // VR SH

bool is_any(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Interned uid_of(std::string_view text) {
  const bool digits = text.find_first_not_of("0123456789.") == std::string_view::npos;
  const bool form = text.size() > 4 && text.size() <= 64 && digits && text.find('.') != std::string_view::npos &&
                    text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos;
  return form ? Interned(text) : Interned();
}

/// Whether OBR-24 names a section of the laboratory (HL7's table 0074) in place of a modality: its tests are no exams.
bool is_laboratory(Interned section) {
  return is_any(section, {"LAB", "CH", "HM", "MB", "MCB", "MYC", "VR", "BLB", "BG", "IMM", "TX"});
}

/// Reads one message; the members name the group at hand.
class OrderReader {
 public:
  OrderReader(const hl7::Message& m, const hl7::Origin& origin, const identity::Site& site)
      : m_(m), origin_(origin), site_(site) {}

  std::vector<Order> all() && {
    const hl7::Type type = hl7::type_of(m_);
    const bool order = is_any(type.code, {"ORM", "OMG", "OMI"}), report = type.code == "ORU";
    const bool appointment = type.code == "SIU";
    if (!order && !report && !appointment) return {};
    std::size_t from = 0;
    for (auto pid = m_.find("PID"); pid; pid = m_.find("PID", *pid + 1)) {  // ORU may hold several patients
      const std::size_t end = m_.find("PID", *pid + 1).value_or(m_.size());
      const std::size_t begin = appointment ? from : *pid;
      from = end;
      patient(*pid, end);
      if (appointment)
        this->appointment(begin, end, type.trigger);
      else
        groups(begin, end, report);
    }
    return std::move(orders_);
  }

 private:
  std::string_view value(std::size_t segment, std::size_t field, std::size_t component, std::string& room) const {
    return m_.value(m_.component(m_.field(segment, field), component), room);
  }
  Interned text(std::size_t segment, std::size_t field, std::size_t component) const {
    std::string room;
    return value(segment, field, component, room);
  }
  std::optional<std::size_t> find(std::string_view name, std::size_t begin, std::size_t end) const {
    const auto at = m_.find(name, begin);
    return at && *at < end ? at : std::nullopt;
  }

  void patient(std::size_t pid, std::size_t end) {
    base_ = {};
    base_.time = origin_.time;
    const auto ids = identity::numbers_of(m_, pid, site_);
    if (!ids.empty()) base_.patient = ids.front();
    if (!ids.empty()) base_.other_ids.assign(ids.begin() + 1, ids.end());
    base_.demographics = identity::demographics_of(m_, pid);
    const auto key = [&](std::string_view cx) -> Interned {
      if (cx.empty()) return {};
      const std::string id = m_.value(m_.component(cx, 1));
      return id.empty() ? id : m_.value(m_.subcomponent(m_.component(cx, 4), 1)) + '|' + id;
    };
    base_.account = key(m_.field(pid, 18));
    if (const auto pv1 = find("PV1", pid, end)) base_.visit = key(m_.field(*pv1, 19));
  }

  /// Each OBR with the ORC before it; what stands behind it (TQ1, IPC, ZDS) is its own. A ZDS that is the only one of
  /// the message belongs to all of its orders if they are one exam.
  void groups(std::size_t begin, std::size_t end, bool report) {
    std::optional<std::size_t> orc;
    const std::size_t first = orders_.size();
    for (std::size_t s = begin; s < end; ++s) {
      if (m_.is(s, "ORC")) orc = s;
      if (!m_.is(s, "OBR")) continue;
      std::size_t stop = s + 1;
      while (stop < end && !m_.is(stop, "OBR") && !m_.is(stop, "ORC")) ++stop;
      group(orc, s, stop, report);
      orc.reset();
    }
    if (orders_.size() == first && orc) group(orc, std::nullopt, end, report);  // a status message without OBR
    share_study(begin, end, first);
    std::erase_if(orders_, [](const Order& o) {
      const bool nameless = o.accession.empty() && o.study_uid.empty() && o.filler.empty() && o.placer.empty();
      return nameless || (o.study_uid.empty() && is_laboratory(o.modality));
    });
  }

  void share_study(std::size_t begin, std::size_t end, std::size_t first) {
    const auto zds = find("ZDS", begin, end);
    if (!zds || find("ZDS", *zds + 1, end)) return;
    for (std::size_t i = first; i < orders_.size(); ++i)
      if (orders_[i].accession != orders_[first].accession) return;
    std::string room;
    const Interned uid = uid_of(value(*zds, 1, 1, room));
    for (std::size_t i = first; i < orders_.size(); ++i)
      if (orders_[i].study_uid.empty()) orders_[i].study_uid = uid;
  }

  void group(std::optional<std::size_t> orc, std::optional<std::size_t> obr, std::size_t stop, bool report) {
    Order o = base_;
    std::string room;
    o.report = report;
    if (orc) {
      o.placer = value(*orc, 2, 1, room);
      o.filler = value(*orc, 3, 1, room);
      when(o, m_.component(m_.field(*orc, 7), 4));
    }
    if (obr) {
      if (o.placer.empty()) o.placer = value(*obr, 2, 1, room);
      if (o.filler.empty()) o.filler = value(*obr, 3, 1, room);
      o.accession = text(*obr, 18, 1);
      o.modality = text(*obr, 24, 1);
      o.description = text(*obr, 4, 2);
      if (o.description.empty()) o.description = text(*obr, 4, 5);
      when(o, m_.component(m_.field(*obr, 27), 4));
      when(o, m_.component(m_.field(*obr, 36), 1));
      if (const auto tq1 = find("TQ1", orc.value_or(*obr), stop)) when(o, m_.component(m_.field(*tq1, 7), 1));
      if (report) o.date.clear();
      when(o, m_.component(m_.field(*obr, 7), 1));
      when(o, m_.component(m_.field(*obr, 6), 1));
    }
    state(o, orc, obr, report);
    if (const auto zds = find("ZDS", obr.value_or(stop), stop)) o.study_uid = uid_of(value(*zds, 1, 1, room));
    const auto ipc = find("IPC", obr.value_or(stop), stop);
    if (!ipc) return add(std::move(o), orders_.size());
    const std::size_t first = orders_.size();
    for (auto at = ipc; at; at = find("IPC", *at + 1, stop)) imaging(o, *at, first);
  }

  void imaging(Order o, std::size_t ipc, std::size_t first) {
    std::string room;
    const Interned accession = text(ipc, 1, 1), modality = text(ipc, 5, 1), uid = uid_of(value(ipc, 3, 1, room));
    if (!accession.empty()) o.accession = accession;
    if (!uid.empty()) o.study_uid = uid;
    if (!modality.empty()) o.modality = modality;
    add(std::move(o), first);
  }

  /// Steps of one procedure share accession and study, of which one is enough; others are exams of their own. The
  /// group's orders begin at `first`.
  void add(Order o, std::size_t first) {
    if (o.accession.empty() && o.filler.size() <= kLongestAccession) o.accession = o.filler;
    const bool same =
        orders_.size() > first && orders_.back().accession == o.accession && orders_.back().study_uid == o.study_uid;
    if (!same) orders_.push_back(std::move(o));
  }

  void when(Order& o, std::string_view text) const {
    if (!o.date.empty() || text.empty()) return;
    const auto at = hl7::date_and_time(text);
    o.date = at.date;
    o.clock = at.time;
  }

  void state(Order& o, std::optional<std::size_t> orc, std::optional<std::size_t> obr, bool report) const {
    std::array<std::string, 3> rooms;
    const std::string_view control = orc ? value(*orc, 1, 1, rooms[0]) : "",
                           status = orc ? value(*orc, 5, 1, rooms[1]) : "";
    const std::string_view result = obr ? value(*obr, 25, 1, rooms[2]) : "";
    o.state_said = true;
    if (is_any(control, {"CA", "OC", "DC", "OD", "CR", "DR"}) || is_any(status, {"CA", "DC"}) || result == "X")
      o.state = State::cancelled;
    else if (report || is_any(status, {"CM", "A", "IP"}) || is_any(result, {"F", "C", "P", "R"}))
      o.state = State::performed;
    else if (is_any(status, {"SC", "HD"}) || is_any(control, {"NW", "SN"}))
      o.state = State::planned;
    else
      o.state_said = false;
  }

  void appointment(std::size_t begin, std::size_t end, const std::string& trigger) {
    const auto sch = find("SCH", begin, end);
    if (!sch) return;
    Order o = base_;
    std::string room;
    o.placer = value(*sch, 26, 1, room);
    o.filler = value(*sch, 27, 1, room);
    if (o.placer.empty() && o.filler.empty()) return;  // no order: an appointment alone is no exam
    if (const auto ais = find("AIS", begin, end)) {
      o.description = text(*ais, 3, 2);
      when(o, m_.component(m_.field(*ais, 4), 1));
    }
    when(o, m_.component(m_.field(*sch, 11), 4));
    if (o.filler.size() <= kLongestAccession) o.accession = o.filler;
    o.state_said = true;
    o.state = is_any(trigger, {"S15", "S17", "S26"}) ? State::cancelled : State::planned;
    orders_.push_back(std::move(o));
  }

  const hl7::Message& m_;
  const hl7::Origin& origin_;
  const identity::Site& site_;
  Order base_;
  std::vector<Order> orders_;
};

}  // namespace

std::vector<Order> orders_of(const hl7::Message& message, const hl7::Origin& origin, const identity::Site& site) {
  return OrderReader(message, origin, site).all();
}

}  // namespace waybill::orders
