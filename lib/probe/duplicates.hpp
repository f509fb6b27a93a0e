// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/made.hpp"
#include "probe/run.hpp"

namespace waybill::probe {

/// What a step's answer and what is there afterwards say of the peer's policy.
struct Judged {
  std::string kept, policy;
};
/// `sent` is new to the peer.
[[nodiscard]] Judged judge_first(const Made& sent, bool taken, const Sight& now);
/// `before` was there, `sent` has the same UIDs and was `taken` or not; `now` is what is there.
[[nodiscard]] Judged judge_same_place(const Made& before, const Made& sent, bool taken, const Sight& now);
/// `sent` has the SOP Instance UID of `before` and another series.
[[nodiscard]] Judged judge_other_series(const Made& before, const Made& sent, bool taken, const Sight& there,
                                        const Sight& here);
/// `sent` is a new object of a series that belongs to another study; `there` is where it was sent to, `here` the study
/// that the series is of.
[[nodiscard]] Judged judge_other_study(const Made& sent, bool taken, const Sight& there, const Sight& here);
/// `sent` is a new object of a study that is another patient's.
[[nodiscard]] Judged judge_other_patient(const Made& sent, bool taken, const Sight& now);

/// A note was sent that rejects an object, and this is what is there of the object.
[[nodiscard]] Judged judge_rejection(bool taken, const Sight& rejected);
/// The object was sent again; it `was_gone` before.
[[nodiscard]] Judged judge_rejected(const Made& sent, bool was_gone, bool taken, const Sight& now);

/// The duplicate script (domain rule 9.9): stores objects of a made-up patient one after the other and reads back what
/// is there after each. Sets `duplicates` and `listed_after` of the profile and adds to `left`. `there` is called when
/// the first object is there and nothing else. Throws net::PeerError when the peer is lost; the profile has what was
/// found out until then.
void ask_duplicates(const Options& options, const std::string& patient_id, Profile& profile,
                    const std::function<void(const Made&)>& there);

}  // namespace waybill::probe
