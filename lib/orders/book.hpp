// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "identity/pool.hpp"
#include "orders/order.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>

namespace waybill::orders {

/// Brings what many messages say of an exam together: of each attribute the latest value that was given, whatever the
/// order of arrival. An exam is an accession number (or filler's, or placer's number) of a patient number. About 150
/// bytes an exam and its texts. Single-threaded.
class Book {
 public:
  void add(const Order& order);
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// Each exam as one order whose `time` is its latest message's; in an order of no meaning.
  void for_each(const std::function<void(const Order&)>& take) const;

 private:
  enum Field : std::size_t {
    kName,
    kBirthDate,
    kSex,
    kAccount,
    kVisit,
    kAccession,
    kStudyUid,
    kPlacer,
    kFiller,
    kModality,
    kDescription,
    kCode,
    kSite,
    kDate,
    kClock,
    kState,
    kFile,
    kFields
  };
  struct Said {
    std::uint32_t text = 0;
    std::uint32_t when = 0;  ///< seconds since 1970
  };
  struct Entry {
    std::uint32_t authority = 0, id = 0, type = 0;
    bool report = false;
    std::uint64_t offset = 0;
    std::array<Said, kFields> said{};
  };
  void say(Entry& entry, Field field, std::string_view text, std::uint32_t when);

  identity::Pool pool_;
  std::vector<Entry> entries_;
  std::unordered_map<std::uint32_t, std::uint32_t> by_key_;
  std::unordered_map<std::uint32_t, std::vector<identity::PatientId>> other_ids_;
};

}  // namespace waybill::orders
