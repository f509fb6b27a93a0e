// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// A text that is kept once in the process and known by four bytes: two are equal when their numbers are. For the
/// millions of studies, exams and messages of one run that repeat the same numbers, names and dates over and over.
///
/// Texts are never given back, so it is for what a run holds to its end anyway. A text costs its characters, one to
/// five bytes before them and about 14 bytes of index. Numbers differ from run to run: they order and print nothing,
/// `<` compares texts. Any thread may make, copy and read them.
class Interned {
 public:
  constexpr Interned() noexcept = default;
  Interned(std::string_view text) : n_(text.empty() ? 0 : add(text)) {}    // NOLINT(google-explicit-constructor)
  Interned(const std::string& text) : Interned(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  Interned(const char* text) : Interned(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)

  [[nodiscard]] std::string_view view() const noexcept;
  [[nodiscard]] std::string str() const { return std::string(view()); }
  operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)
  operator std::string() const { return str(); }                 // NOLINT(google-explicit-constructor)

  /// Eight bytes from `at` on as a number that orders as the texts do; equal ones are for `<` to tell apart.
  [[nodiscard]] std::uint64_t leading(std::size_t at = 0) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return n_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return view().size(); }
  void clear() noexcept { n_ = 0; }
  /// Equal for equal texts of this process, 0 for the empty text.
  [[nodiscard]] std::uint32_t number() const noexcept { return n_; }
  /// The text of a number() that this process gave.
  [[nodiscard]] static Interned of(std::uint32_t number) noexcept {
    Interned text;
    text.n_ = number;
    return text;
  }

  friend bool operator==(Interned a, Interned b) noexcept { return a.n_ == b.n_; }
  friend std::strong_ordering operator<=>(Interned a, Interned b) noexcept {
    return a.n_ == b.n_ ? std::strong_ordering::equal : a.view() <=> b.view();
  }
  template <typename T>
  requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, Interned>) friend bool operator==(
      Interned a, const T& b) noexcept {
    return a.view() == std::string_view(b);
  }
  friend std::string operator+(std::string a, Interned b) { return a += b.view(); }
  friend std::ostream& operator<<(std::ostream& out, Interned text) { return out << text.view(); }

 private:
  static std::uint32_t add(std::string_view text);
  std::uint32_t n_ = 0;
};

/// An unchanging list of interned texts, itself kept once: four bytes.
class InternedList {
 public:
  class Iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Interned;
    using difference_type = std::ptrdiff_t;
    using pointer = const Interned*;
    using reference = Interned;
    Iterator() = default;
    explicit Iterator(const char* at) : at_(at) {}
    Interned operator*() const noexcept {
      std::uint32_t n = 0;
      std::memcpy(&n, at_, sizeof n);
      return Interned::of(n);
    }
    Interned operator[](difference_type n) const noexcept { return *(*this + n); }
    Iterator& operator+=(difference_type n) noexcept { return at_ += n * 4, *this; }
    Iterator& operator-=(difference_type n) noexcept { return *this += -n; }
    Iterator& operator++() noexcept { return *this += 1; }
    Iterator& operator--() noexcept { return *this += -1; }
    Iterator operator++(int) noexcept { return ++*this, *this - 1; }
    friend Iterator operator+(Iterator a, difference_type n) noexcept { return a += n; }
    friend Iterator operator-(Iterator a, difference_type n) noexcept { return a += -n; }
    friend difference_type operator-(Iterator a, Iterator b) noexcept { return (a.at_ - b.at_) / 4; }
    friend auto operator<=>(const Iterator&, const Iterator&) = default;

   private:
    const char* at_ = nullptr;
  };

  InternedList() = default;
  InternedList(const std::vector<Interned>& texts);     // NOLINT(google-explicit-constructor)
  InternedList(const std::vector<std::string>& texts);  // NOLINT(google-explicit-constructor)
  InternedList(std::initializer_list<Interned> texts) : InternedList(std::vector<Interned>(texts)) {}

  [[nodiscard]] Iterator begin() const noexcept { return Iterator(bytes_.view().data()); }
  [[nodiscard]] Iterator end() const noexcept { return begin() + static_cast<std::ptrdiff_t>(size()); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / 4; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] Interned operator[](std::size_t n) const noexcept { return begin()[static_cast<std::ptrdiff_t>(n)]; }
  [[nodiscard]] bool contains(Interned text) const noexcept {
    for (const Interned one : *this)
      if (one == text) return true;
    return false;
  }
  void clear() noexcept { bytes_.clear(); }

  [[nodiscard]] std::vector<Interned> texts() const { return {begin(), end()}; }
  [[nodiscard]] std::vector<std::string> strings() const { return {begin(), end()}; }

  friend bool operator==(InternedList a, InternedList b) noexcept { return a.bytes_ == b.bytes_; }
  friend bool operator==(InternedList a, const std::vector<std::string>& b) { return a.strings() == b; }
  /// Compares text by text.
  friend std::strong_ordering operator<=>(InternedList a, InternedList b) noexcept;
  /// For containers keyed by lists.
  [[nodiscard]] std::uint32_t number() const noexcept { return bytes_.number(); }

 private:
  Interned bytes_;  // the numbers of the texts, four bytes each
};

}  // namespace waybill

template <>
struct std::hash<waybill::Interned> {
  std::size_t operator()(waybill::Interned text) const noexcept { return text.number() * 0x9E3779B97F4A7C15ULL >> 13U; }
};
