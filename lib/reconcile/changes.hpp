// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace waybill::reconcile {

/// How many studies and objects something touches.
struct Reach {
  std::uint64_t studies = 0, objects = 0;
  void add(std::uint64_t instances) noexcept {
    ++studies;
    objects += instances;
  }
  void add(const Reach& more) noexcept {
    studies += more.studies;
    objects += more.objects;
  }
};

/// What an edit does to a value, without the value: "missing" (there was none), "placeholder" (there was none that says
/// anything), "uneven" (objects of the study differ, the smallest value stays), "form" (the same thing written
/// otherwise), "near" (one step apart, exchanged, spelled alike), "other".
[[nodiscard]] std::string_view change_of(const manifest::Edit& edit);

}  // namespace waybill::reconcile
