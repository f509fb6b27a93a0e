// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace waybill {

/// Exit codes of every tool; `docs/exit-codes.md` says what a runbook does with each.
enum class Exit {
  ok = 0,           ///< everything done, the ledger closes
  exceptions = 1,   ///< finished, some objects are exceptions and are listed
  usage = 2,        ///< usage or configuration error
  input = 3,        ///< an input cannot be read at all
  peer = 4,         ///< a peer is unreachable or refuses, nothing is lost
  integrity = 5,    ///< chain broken, digest mismatch, ledger does not close
  interrupted = 6,  ///< interrupted or window closed, resumable
  internal = 7,     ///< a defect of ours
};

/// An error about the whole run (full disk, broken chain, no manifest). Thrown
/// anywhere, caught once in cli::run_tool, which prints it and exits with `exit`.
/// The text is one sentence that names the object, the reason and the next step.
class RunError : public std::runtime_error {
 public:
  RunError(Exit exit, const std::string& what) : std::runtime_error(what), exit_(exit) {}
  [[nodiscard]] Exit exit() const noexcept { return exit_; }

 private:
  Exit exit_;
};

/// What went wrong with one object. Closed and small, because reports group by it.
enum class Fault { unreadable, not_dicom, truncated, unsupported, mismatch, malformed, limit, refused };

/// The lower-case word for a fault as it stands in manifests and messages.
[[nodiscard]] constexpr const char* to_string(Fault fault) noexcept {
  switch (fault) {
    case Fault::unreadable: return "unreadable";
    case Fault::not_dicom: return "not-dicom";
    case Fault::truncated: return "truncated";
    case Fault::unsupported: return "unsupported";
    case Fault::mismatch: return "mismatch";
    case Fault::malformed: return "malformed";
    case Fault::limit: return "limit";
    case Fault::refused: return "refused";
  }
  return "malformed";
}

/// An error about one object among millions: a value, never an exception.
struct Failure {
  Fault fault = Fault::malformed;
  std::string what;  ///< one sentence; never holds a name, MRN or birth date
};

/// A value or a Failure; the shape of std::expected, which g++ 12 lacks in C++20.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Failure failure)
      : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  [[nodiscard]] T& operator*() & { return std::get<0>(state_); }
  [[nodiscard]] const T& operator*() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& operator*() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] T* operator->() { return &std::get<0>(state_); }
  [[nodiscard]] const T* operator->() const { return &std::get<0>(state_); }
  [[nodiscard]] const Failure& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

/// A step that gives nothing but may fail.
struct Done {};

}  // namespace waybill
