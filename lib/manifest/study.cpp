// SPDX-License-Identifier: Apache-2.0
#include "manifest/study.hpp"

namespace waybill::manifest {

Study study_of(const Object& object) {
  Study s;
  s.study = object.study.value_or("");
  s.patient_id = object.patient_id;
  s.issuer = object.issuer;
  s.patient_name = object.patient_name;
  s.birth_date = object.birth_date;
  s.sex = object.sex;
  s.accession = object.accession;
  s.study_date = object.study_date;
  s.study_time = object.study_time;
  return s;
}

}  // namespace waybill::manifest
