#include "about.h"

const struct dbk_uuid *about_whom(const struct dbk_record *record)
{
    switch (record->type) {
    case DBK_PERSON_CREATED:
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return &record->subject;
    case DBK_EVENT_RECORDED:
    case DBK_EVENT_DELETED:
        break;
    }
    return &record->person_id;
}
