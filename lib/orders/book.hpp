// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/flat_index.hpp"
#include "core/huge.hpp"
#include "core/interned.hpp"
#include "orders/order.hpp"

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace waybill::orders {

/// Brings what many messages say of an exam together: of each attribute the latest value that was given, whatever the
/// order of arrival. An exam is an accession number (or filler's, or placer's number) of a patient number. About 140
/// bytes an exam and its texts. Single-threaded.
class Book {
 public:
  void add(const Order& order);
  /// Begins to fetch what add() of the order will look at.
  void prefetch(const Order& order) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// What at() takes, by patient and number, whatever the order of arrival.
  [[nodiscard]] std::vector<std::uint32_t> sorted() const;
  /// An exam as one order whose `time` is its latest message's; placer's and filler's numbers are not kept. Any thread
  /// may ask once all is added.
  [[nodiscard]] Order at(std::uint32_t number) const;

 private:
  enum Field : std::size_t {
    kName,
    kBirthDate,
    kSex,
    kAccount,
    kVisit,
    kAccession,
    kStudyUid,
    kModality,
    kDescription,
    kDate,
    kClock,
    kState,
    kFields
  };
  struct Entry {
    Interned number, authority, id;  ///< number: accession, or "f|", "p|", "u|" and what stands in for it
    bool report = false;
    std::array<Interned, kFields> text{};
    std::array<std::uint32_t, kFields> when{};  ///< seconds since 1970
  };
  std::uint32_t entry_of(const Order& order);
  static std::uint64_t hash_of(const Entry& entry);
  static void say(Entry& entry, Field field, Interned text, std::uint32_t when);

  std::vector<Entry, HugePages<Entry>> entries_;
  FlatIndex by_key_;  // number and patient
  std::unordered_map<std::uint32_t, std::vector<identity::PatientId>> other_ids_;
};

}  // namespace waybill::orders
